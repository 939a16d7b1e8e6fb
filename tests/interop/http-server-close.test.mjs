// Closing the HTTP server under a Socket.IO server refuses new clients and nothing else: `io.close()` is what ends
// those who are connected.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { closeClients, open, pair, upgraded } from '../support/clients.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { isBridge } from '../support/subject.mjs';
import { startAttached } from '../support/server.mjs';
import { event, within } from '../support/wait.mjs';

const DOORS = { 'its own port': serve, "a Node HTTP server's port": serveAttached };

for (const [door, start] of Object.entries(DOORS)) {
  for (const transport of ['websocket', 'upgrade']) {
    test(`httpServer.close() leaves a ${transport} client on ${door} connected and lets nobody in`, async (t) => {
      const { io, url } = await start(t);
      const { client, socket } = await pair(io, url, { transport });
      if (transport === 'upgrade') await upgraded(client);
      socket.on('echo', (value, ack) => ack(value));
      assert.equal(io.httpServer.listening, true);
      io.httpServer.close();
      assert.equal(io.httpServer.listening, false);
      await event(open(url), 'connect_error');
      assert.equal(await within(client.timeout(5000).emitWithAck('echo', 1), 'echo'), 1);
      assert.equal(client.connected, true);
      const told = event(client, 'disconnect');
      await within(Promise.resolve(io.close()), 'io.close()');
      await told;
    });
  }
}

for (const transport of ['polling', 'websocket']) {
  test(`closing one of two HTTP servers ends no ${transport} client of the other, which takes more`, async (t) => {
    const servers = [createServer(), createServer()];
    const { io } = await serveAttached(t);
    const first = io.httpServer;
    for (const server of servers) {
      io.attach(server);
      await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    }
    t.after(() => servers[1].close());
    const url = `http://127.0.0.1:${servers[1].address().port}`;
    const { client } = await pair(io, url, { transport });
    first.close();
    await new Promise((closed) => servers[0].close(closed));
    const { client: next } = await pair(io, url, { transport });
    await new Promise((looked) => setTimeout(looked, 300));
    assert.deepEqual([client.connected, next.connected], [true, true]);
  });
}

// Node's own servers count a WebSocket that the core has taken over no more, so theirs comes at once.
test('the close of a port follows the last client', { skip: isBridge ? 'the port is a Node HTTP server there' : false }, async (t) => {
  const { io, url } = await serve(t);
  const { client } = await pair(io, url);
  let closed = false;
  const end = event(io.httpServer, 'close').then(() => { closed = true; });
  io.httpServer.close();
  await event(open(url), 'connect_error');
  assert.equal(closed, false);
  client.disconnect();
  await end;
});

test('io.close() calls back while clients poll and upgrade', async () => {
  for (let round = 0; round < 12; round += 1) {
    const { io, url, close } = await startAttached();
    const arrived = event(io, 'connection');
    const client = open(url, { transport: 'upgrade' });
    await arrived;
    if (round % 2) client.close();
    await close();
  }
  closeClients();
});
