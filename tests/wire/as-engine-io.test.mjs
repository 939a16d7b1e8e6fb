// The same bytes to engine.io and to us: on our own port, behind an HTTP server, and under socket.io itself. What
// comes back has to be the same, down to close frames and statuses. What differs on purpose is in node-binding/API.md.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { nativePath } from '../support/subject.mjs';
import { CASES } from './support/exchanges.mjs';
import { transcript } from './support/transcript.mjs';
import { destroyAllConnections } from './support/tcp.mjs';

const require = createRequire(import.meta.url);
const native = require(nativePath);
const options = { allowEIO3: true, maxHttpBufferSize: 10_000, pingInterval: 300_000, serveClient: false };

const behind = (make) => async () => {
  const httpServer = createServer((_request, response) => response.writeHead(404).end());
  const io = make(httpServer);
  await new Promise((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  return io;
};
const STARTS = {
  'engine.io': behind((httpServer) => new (require('socket.io').Server)(httpServer, options)),
  'own port': async () => new native.Server(0, { host: '127.0.0.1', ...options }),
  'behind HTTP': behind((httpServer) => new native.Server(httpServer, options)),
  bridge: behind((httpServer) => {
    const io = new (require('socket.io').Server)(httpServer, options);
    native.bindNative(io);
    return io;
  }),
};
const servers = {};

before(async () => {
  for (const [name, start] of Object.entries(STARTS)) {
    const io = await start();
    const seen = { reasons: [], refused: [] };
    io.engine.on('connection_error', ({ code }) => seen.refused.push(code));
    io.on('connection', (socket) => {
      socket.on('disconnect', (reason) => seen.reasons.push(reason));
      socket.on('echo', (...args) => args.pop()(...args));
    });
    io.of('/closed').use((_socket, next) => {
      const error = new Error('no');
      error.data = { z: 1, a: { y: 2, b: 3 }, 1: 'one' };
      next(error);
    });
    servers[name] = { io, port: io.httpServer.address().port, seen };
  }
});

after(async () => {
  destroyAllConnections();
  await Promise.all(Object.values(servers).map(({ io }) => io.close()));
});

for (const { name, steps, doors = Object.keys(STARTS).slice(1) } of CASES) {
  test(name, { timeout: 30_000 }, async () => {
    const expected = await transcript(servers['engine.io'], steps);
    for (const door of doors) {
      assert.deepEqual(await transcript(servers[door], steps), expected, door);
    }
  });
}
