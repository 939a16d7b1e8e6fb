// socket.conn, socket.client and socket.request: one object each, from the first look to the end of the connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, connect, pair } from '../support/clients.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { startProxy } from '../support/proxy.mjs';
import { startServer } from '../support/server.mjs';
import { deferred, event, until, within } from '../support/wait.mjs';

for (const transport of Object.keys(TRANSPORTS)) {
  test(`conn tells its end when the client leaves, over ${transport}`, async (t) => {
    const { io, url } = await serve(t);
    const { client, socket } = await pair(io, url, { transport });
    const { conn } = socket;
    const closed = event(conn, 'close');
    const seen = deferred();
    socket.on('disconnect', () => seen.resolve([socket.conn, socket.client.conn]));
    client.disconnect();
    assert.deepEqual(await within(seen.promise, 'disconnect'), [conn, conn]);
    assert.equal((await closed)[0], 'transport close');
    assert.equal(conn.readyState, 'closed');
    assert.equal(socket.conn, conn);
  });

  test(`conn tells its end when the server closes, over ${transport}`, async () => {
    const { io, url, close } = await startServer();
    const { socket } = await pair(io, url, { transport });
    const { conn } = socket;
    const closed = event(conn, 'close');
    await close();
    assert.equal((await closed)[0], 'forced close');
    assert.equal(conn.readyState, 'closed');
    assert.equal(socket.conn, conn);
  });
}

test('conn tells "forced close" when the server ends the connection', async (t) => {
  const { io, url } = await serve(t);
  const { socket } = await pair(io, url);
  const { conn } = socket;
  const closed = event(conn, 'close');
  socket.disconnect(true);
  assert.equal((await closed)[0], 'forced close');
  assert.equal(conn.readyState, 'closed');
});

test('conn and client that are first asked for at the end are what they are for good', async (t) => {
  const { io, url, port } = await serve(t);
  const proxy = await startProxy(t, port);
  const cut = await pair(io, proxy.url);
  const seen = deferred();
  cut.socket.on('disconnect', () => seen.resolve({ client: cut.socket.client, state: cut.socket.conn.readyState }));
  proxy.cut();
  const { client, state } = await within(seen.promise, 'disconnect');
  assert.equal(state, 'closed');
  assert.equal(cut.socket.client, client);
  assert.equal(cut.socket.conn, client.conn);
  assert.equal(cut.socket.conn.id, client.id);

  // One that leaves its namespace keeps its connection, which ends a little later.
  const left = await pair(io, url);
  const gone = event(left.socket, 'disconnect');
  left.client.disconnect();
  await gone;
  const { conn } = left.socket;
  assert.equal(left.socket.conn, conn);
  await until(() => conn.readyState === 'closed', 'closed');
});

test('the sockets of a client hear of a lost connection before those who wait for its end', async (t) => {
  const { io, port } = await serve(t);
  const arrived = event(io.of('/other'), 'connection');
  const proxy = await startProxy(t, port);
  const { client, socket } = await pair(io, proxy.url);
  const other = client.io.socket('/other');
  const [second] = await arrived;
  const order = [];
  const { conn } = socket;
  const closed = event(conn, 'close');
  socket.on('disconnect', () => order.push(`/ ${conn.readyState}`));
  second.on('disconnect', () => order.push(`/other ${conn.readyState}`));
  conn.on('close', () => order.push('close'));
  proxy.cut();
  await closed;
  assert.deepEqual(order.sort(), ['/ closed', '/other closed', 'close']);
  assert.equal(order.at(-1), 'close');
  other.close();
});

for (const [kind, start] of [['from a port', serve], ['behind an HTTP server', serveAttached]]) {
  test(`all sockets of a connection have one request, ${kind}`, async (t) => {
    const { io, url } = await start(t);
    const arrived = event(io.of('/other'), 'connection');
    const { client, socket } = await pair(io, url);
    client.io.socket('/other');
    const [second] = await arrived;
    assert.equal(second.request, socket.request);
    assert.equal(second.conn, socket.conn);
    assert.equal(second.client, socket.client);
    assert.equal(socket.conn.request, socket.request);
    socket.request.user = 'ada';
    assert.equal(second.request.user, 'ada');
  });

  for (const transport of ['websocket', 'polling']) {
    test(`what hooks put on a request is there for the sockets, ${kind} over ${transport}`, async (t) => {
      const { io, url } = await start(t, {
        allowRequest: (req, callback) => {
          req.user = 'ada';
          setImmediate(callback, null, true);
        },
      });
      io.engine.on('initial_headers', (_headers, req) => { req.hooked = true; });
      const arrived = event(io.of('/other'), 'connection');
      const { client, socket } = await pair(io, url, { transport });
      client.io.socket('/other');
      const [second] = await arrived;
      assert.equal(socket.request.user, 'ada');
      assert.equal(socket.request.hooked, true);
      assert.equal(second.request, socket.request);
      assert.equal(socket.conn.request, socket.request);
    });
  }
}

test('hooks that are added later change nothing for connections that are open', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  io.engine.on('initial_headers', (_headers, req) => { req.late = true; });
  const later = await pair(io, url);
  assert.equal(later.socket.request.late, true);
  assert.equal(socket.request.late, undefined);
  const closed = event(socket.conn, 'close');
  client.disconnect();
  await closed;
});

test('each of many connections that were looked at tells its end', async (t) => {
  const { io, url } = await serve(t);
  let closed = 0;
  io.on('connection', (socket) => socket.conn.on('close', () => { closed += 1; }));
  for (let round = 0; round < 10; round += 1) {
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(url)));
    for (const client of clients) client.disconnect();
  }
  await until(() => closed === 200, 'all closed');
  await until(() => io.engine.clientsCount === 0, 'nobody');
});
