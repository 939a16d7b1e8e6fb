// A server under a clock that stands still, as the fake timers of sinon give it: messages leave all the
// same, and time limits of acknowledgements are over when that clock says so. The server has a process of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, closeClients, TRANSPORTS } from '../support/clients.mjs';
import { nativeOnly, nativePath } from '../support/subject.mjs';
import { event, record, until, within } from '../support/wait.mjs';

const PROGRAM = `
  const { Server } = require(${JSON.stringify(nativePath)});
  const FakeTimers = require('@sinonjs/fake-timers');
  const io = new Server(0, { host: '127.0.0.1' });
  require('node:fs').writeSync(1, String(io.httpServer.address().port));
  const clock = FakeTimers.install();
  io.use((socket, next) => next());
  io.on('connection', (socket) => {
    socket.use((event, next) => next());
    socket.on('echo', (value, ack) => ack(value));
    socket.on('echo later', async (value, ack) => { await null; ack(value); });
    socket.on('say', () => {
      socket.emit('own', 1);
      io.emit('all', Buffer.from('b'));
      Promise.resolve().then(() => io.to(socket.id).emit('room'));
    });
    socket.on('wait', () => {
      for (const ms of [60000, 120000]) socket.timeout(ms).emit('silence', (err) => socket.emit('over', ms, err.message));
    });
    socket.on('advance', (ms) => clock.tick(ms));
    socket.on('throw', () => { throw new Error('thrown by a handler'); });
  });
`;

async function serve(t) {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=commonjs', '--eval', PROGRAM], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => {
    closeClients();
    child.kill();
  });
  const [port] = await within(once(child.stdout, 'data'), 'port');
  return { child, url: `http://127.0.0.1:${port}` };
}

for (const transport of Object.keys(TRANSPORTS)) {
  test(`emits, acknowledgements and broadcasts leave while the clock stands still, over ${transport}`, nativeOnly, async (t) => {
    const { url } = await serve(t);
    const client = await connect(url, { transport });
    for (const name of ['echo', 'echo later']) assert.equal(await within(client.emitWithAck(name, name), name), name);
    const seen = record(client);
    client.emit('say');
    await until(() => seen.length === 3, 'three messages');
    assert.deepEqual(seen.map(([name]) => name), ['own', 'all', 'room']);
  });
}

test('the time for an acknowledgement is over when the fake clock says so, and not before', nativeOnly, async (t) => {
  const { url } = await serve(t);
  const client = await connect(url);
  const over = record(client);
  client.emit('wait');
  client.emit('advance', 59_999);
  assert.equal(await within(client.emitWithAck('echo', 1), 'echo'), 1);
  assert.deepEqual(over.filter(([name]) => name === 'over'), []);
  const told = event(client, 'over');
  client.emit('advance', 1);
  assert.deepEqual(await told, [60_000, 'operation has timed out']);
});

test('what a handler throws ends the process as ever', nativeOnly, async (t) => {
  const { child, url } = await serve(t);
  const client = await connect(url);
  const ended = once(child, 'exit');
  client.emit('throw');
  assert.equal((await within(ended, 'exit'))[0], 1);
});
