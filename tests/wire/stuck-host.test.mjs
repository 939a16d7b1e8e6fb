// A host whose JavaScript thread takes no events for some seconds while clients pour them in.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ServerProcess } from './support/child.mjs';
import { text } from './support/frames.mjs';
import { SocketIoClient } from './support/socketio.mjs';

const MiB = 1024 * 1024;
const CLIENTS = 20;
const EVENTS = 5000;
const PADDING = 'x'.repeat(1024);
const BLOCKED_MS = 4000;
const QUEUE = 4 * MiB;
/** What the server may hold of the 100 MiB that are poured in; the rest has to wait in the clients' sockets. */
const ALLOWED_GROWTH = QUEUE + 36 * MiB;

const server = await ServerProcess.start({ options: { hostQueueBytes: QUEUE, pingInterval: 60_000, pingTimeout: 60_000 }, reportEnds: true });
after(() => server.stop());

/** Numbered events as fast as the socket takes them. */
async function pour(client) {
  const batch = 50;
  for (let number = 0; number < EVENTS; number += batch) {
    await client.ws.send(Buffer.concat(Array.from({ length: batch }, (_, i) => text(`42["pour",${number + i},"${PADDING}"]`))));
  }
}

test('memory stays bounded while the host is stuck; afterwards everything arrives, in order, once', { timeout: 120_000 }, async () => {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => SocketIoClient.connect(server.port)));
  const before = await server.rss();
  const blocked = server.call('block', { ms: BLOCKED_MS });
  let over = false;
  blocked.then(() => { over = true; });
  const poured = Promise.all(clients.map(pour));
  let most = before;
  while (!over) {
    most = Math.max(most, await server.rss());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(most - before < ALLOWED_GROWTH, `memory grew by ${Math.round((most - before) / MiB)} MiB`);
  await poured;
  for (const client of clients) {
    await client.sendText('421["poured"]');
    assert.equal(await client.nextPacket(30_000), `431[${EVENTS}]`);
  }
  const state = await server.call('state');
  assert.deepEqual(state.broken.slice(0, 5), []);
  assert.equal(state.sockets, CLIENTS, 'nobody was disconnected');
  for (const client of clients) client.leave();
});

test('clients that leave while the host is stuck are told to it afterwards, and new ones are served', { timeout: 30_000 }, async () => {
  await server.settle(({ connections }) => connections === 0);
  const leavers = await Promise.all(Array.from({ length: 50 }, () => SocketIoClient.connect(server.port)));
  const blocked = server.call('block', { ms: 1000 });
  for (const client of leavers) client.leave();
  const newcomer = SocketIoClient.connect(server.port);
  await blocked;
  for (const client of leavers) assert.equal((await server.end(client.id)).reason, 'transport close');
  await (await newcomer).echo('hello');
  const state = await server.settle(({ sockets }) => sockets === 1);
  assert.deepEqual([state.sockets, state.rooms], [1, 1]);
  (await newcomer).leave();
});
