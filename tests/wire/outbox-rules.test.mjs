// Which client is slow: one that takes nothing of what waits for it, not one that was given much.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNative } from '../support/subject.mjs';
import { PollingSession } from './support/polling.mjs';
import { startServer } from './support/server.mjs';
import { SocketIoClient } from './support/socketio.mjs';

const onlyOurs = { timeout: 60_000, skip: isNative ? false : 'socket.io has no limit: it queues without end' };
const KiB = 1024;
const MiB = 1024 * KiB;

/** A server whose sockets are in a room each takes for itself, and the details of their ends. */
async function serve(t, options) {
  const details = new Map();
  const server = await startServer({ pingInterval: 60_000, ...options }, (socket) => {
    socket.on('disconnect', (reason, detail) => details.set(socket.id, [reason, detail?.message]));
  });
  t.after(() => server.close());
  return {
    ...server,
    detailOf: async (id) => {
      await server.ends.reasonOf(id, 20_000);
      return details.get(id);
    },
  };
}

/** Messages of `size` for a client that does not read: more than the kernel's buffers hold, `count` of them. */
async function flood(server, id, count, size = 512 * KiB) {
  const text = 'x'.repeat(size);
  for (let i = 0; i < count; i++) {
    server.io.to(id).emit('n', i, text);
    if (i % 8 === 7) await new Promise(setImmediate);
  }
}

test('a client that takes nothing for outboxTimeout is closed, and the reason and the figures say so', onlyOurs, async (t) => {
  const server = await serve(t, { maxOutboxBytes: MiB, outboxTimeout: 300 });
  const silent = await SocketIoClient.connect(server.port);
  silent.ws.tcp.socket.pause();
  await flood(server, silent.id, 40);
  assert.deepEqual(await server.detailOf(silent.id), ['slow consumer', 'outboxTimeout: it took nothing of what waited']);
  const { slowConsumers, slowStalled, slowTooMuch, slowOverBudget } = server.io.stats();
  assert.deepEqual([slowConsumers, slowStalled, slowTooMuch, slowOverBudget], [1, 1, 0, 0]);
});

test('a polling client that takes nothing for outboxTimeout is closed', onlyOurs, async (t) => {
  const server = await serve(t, { maxOutboxBytes: 64 * KiB, outboxTimeout: 300 });
  const silent = await PollingSession.connect(server.port);
  await flood(server, silent.id, 4);
  assert.equal((await server.detailOf(silent.id))[1], 'outboxTimeout: it took nothing of what waited');
  await silent.isGone();
});

test('a client that takes a little now and then stays for many times outboxTimeout, and gets everything', onlyOurs, async (t) => {
  const server = await serve(t, { maxOutboxBytes: MiB, outboxTimeout: 400 });
  const slow = await SocketIoClient.connect(server.port);
  const { socket } = slow.ws.tcp;
  socket.pause();
  const count = 40;
  await flood(server, slow.id, count);
  // A piece of the 20 MiB at a time, as a thin line would.
  const began = Date.now();
  let read = 0;
  socket.removeAllListeners('data');
  const chunks = [];
  socket.on('data', (chunk) => { read += chunk.length; chunks.push(chunk); });
  while (Date.now() - began < 2500) {
    const goal = read + MiB;
    socket.resume();
    while (read < goal && Date.now() - began < 2500) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(server.io.sockets.sockets.size, 1, 'it stayed');
  socket.resume();
  const total = count * 512 * KiB;
  while (read < total) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(Buffer.concat(chunks).subarray(-20).toString(), /^x+"\]$/);
  assert.equal(server.io.stats().slowConsumers, 0);
  slow.leave();
});

test('hardOutboxBytes bounds one client at once', onlyOurs, async (t) => {
  const server = await serve(t, { maxOutboxBytes: MiB, hardOutboxBytes: 2 * MiB });
  const silent = await SocketIoClient.connect(server.port);
  silent.ws.tcp.socket.pause();
  await flood(server, silent.id, 60);
  assert.deepEqual(await server.detailOf(silent.id), ['slow consumer', 'hardOutboxBytes: too much waited']);
  assert.equal(server.io.stats().slowTooMuch, 1);
});

test('past totalOutboxBytes those who take least go first, and the others stay', onlyOurs, async (t) => {
  const server = await serve(t, { totalOutboxBytes: 24 * MiB, shards: 2 });
  const silent = await Promise.all(Array.from({ length: 3 }, () => SocketIoClient.connect(server.port)));
  for (const client of silent) client.ws.tcp.socket.pause();
  const readers = await Promise.all(Array.from({ length: 2 }, () => SocketIoClient.connect(server.port)));
  for (const client of readers) client.ws.tcp.socket.on('data', () => { client.ws.tcp.bytes = Buffer.alloc(0); });
  // What one of them leaves to wait fits; that of all does not.
  for (const client of silent) await flood(server, client.id, 40);
  for (const client of readers) await flood(server, client.id, 10);
  await Promise.any(silent.map((client) => server.detailOf(client.id)));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { slowConsumers, slowOverBudget, outboxBytes } = server.io.stats();
  assert.ok(slowOverBudget >= 1 && slowConsumers === slowOverBudget, `${slowOverBudget} of ${slowConsumers}`);
  assert.ok(outboxBytes <= 24 * MiB, `${outboxBytes} bytes wait`);
  for (const client of readers) assert.ok(server.io.sockets.sockets.has(client.id), 'who reads stays');
  for (const client of [...silent, ...readers]) client.leave();
});

test('a broadcast that waits for many clients counts once', onlyOurs, async (t) => {
  const server = await serve(t, { totalOutboxBytes: 32 * MiB, shards: 2 });
  const silent = await Promise.all(Array.from({ length: 20 }, () => SocketIoClient.connect(server.port)));
  for (const client of silent) client.ws.tcp.socket.pause();
  for (let i = 0; i < 16; i++) {
    server.io.emit('n', 'x'.repeat(MiB));
    await new Promise(setImmediate);
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { slowConsumers, outboxBytes } = server.io.stats();
  assert.equal(slowConsumers, 0);
  assert.ok(outboxBytes > MiB && outboxBytes < 17 * MiB, `${outboxBytes} bytes wait`);
  for (const client of silent) client.leave();
  const deadline = Date.now() + 10_000;
  while (server.io.stats().outboxBytes > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(server.io.stats().outboxBytes, 0, 'nothing is left of it');
});
