// Servers of socket.io with the native engine under them, made in the way that a test is about.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { closeClients } from '../../support/clients.mjs';
import { nativePath } from '../../support/subject.mjs';
import { deferred, within } from '../../support/wait.mjs';

export const { bindNative } = createRequire(import.meta.url)(nativePath);

// A bound server on an HTTP server of its own. `prepare(io)` runs before anything listens.
export async function bound(t, { options = {}, native = {}, prepare } = {}) {
  const httpServer = createServer((_req, res) => res.writeHead(404).end('application 404'));
  const io = bindNative(new Server(httpServer, options), native);
  prepare?.(io);
  return listening(t, io, httpServer);
}

export async function listening(t, io, httpServer) {
  if (!httpServer.listening) {
    httpServer.listen(0, '127.0.0.1');
    await within(once(httpServer, 'listening'), 'listening');
  }
  const close = () => {
    const closed = deferred();
    io.close(() => closed.resolve());
    return within(closed.promise, 'io.close()');
  };
  t.after(async () => {
    closeClients();
    await close();
  });
  return { io, httpServer, close, url: `http://127.0.0.1:${httpServer.address().port}` };
}

// Counts what JavaScript writes to each socket of a server from now on.
export function countWrites(io) {
  const count = { writes: 0 };
  const watch = ({ client }) => {
    const { writeToEngine } = client;
    client.writeToEngine = function (...args) {
      count.writes += 1;
      return writeToEngine.apply(this, args);
    };
  };
  for (const socket of io.sockets.sockets.values()) watch(socket);
  io.on('connection', watch);
  return count;
}

// Everybody in `clients` has got what was sent to it so far: an event of its own is the last.
export async function settled(io, clients) {
  const mark = Symbol('mark').toString() + Math.random();
  const seen = clients.map((client) => {
    const done = deferred();
    const listen = (name) => name === mark && done.resolve();
    client.onAny(listen);
    return within(done.promise, 'the mark').finally(() => client.offAny(listen));
  });
  io.emit(mark);
  await Promise.all(seen);
}
