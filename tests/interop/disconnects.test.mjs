// Who is told what when a connection ends, on both sides, in socket.io's words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, connect, open, pair, upgraded } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { startServer } from '../support/server.mjs';
import { Server, isNative } from '../support/subject.mjs';
import { deferred, event, until, within } from '../support/wait.mjs';

for (const transport of Object.keys(TRANSPORTS)) {
  async function start(t, options) {
    const server = await serve(t, options);
    const ends = await pair(server.io, server.url, { transport });
    if (transport === 'upgrade') await upgraded(ends.client);
    return { ...server, ...ends };
  }

  test(`client.disconnect() over ${transport}`, async (t) => {
    const { client, socket } = await start(t);
    const atServer = event(socket, 'disconnect');
    const atClient = event(client, 'disconnect');
    client.disconnect();
    assert.equal((await atServer)[0], 'client namespace disconnect');
    assert.equal((await atClient)[0], 'io client disconnect');
  });

  test(`socket.disconnect() leaves the namespace and keeps the connection over ${transport}`, async (t) => {
    const { client, socket } = await start(t);
    const atServer = event(socket, 'disconnect');
    const atClient = event(client, 'disconnect');
    assert.equal(socket.disconnect(), socket);
    assert.equal((await atServer)[0], 'server namespace disconnect');
    assert.equal((await atClient)[0], 'io server disconnect');
    assert.equal(socket.connected, false);
    assert.equal(socket.disconnected, true);
  });

  test(`socket.disconnect(true) closes the connection over ${transport}`, async (t) => {
    const { io, client, socket } = await start(t);
    const atServer = event(socket, 'disconnect');
    const atClient = event(client, 'disconnect');
    const closed = event(client.io.engine, 'close');
    socket.disconnect(true);
    assert.equal((await atServer)[0], 'server namespace disconnect');
    const [reason] = await atClient;
    assert.ok(['io server disconnect', 'transport close'].includes(reason), reason);
    await closed;
    await until(() => io.engine.clientsCount === 0, 'connection gone');
  });

  test(`a client that ends its connection over ${transport}`, async (t) => {
    const { client, socket } = await start(t);
    const atServer = event(socket, 'disconnect');
    client.io.engine.close();
    assert.equal((await atServer)[0], 'transport close');
  });

  test(`a client that stops answering pings over ${transport}`, async (t) => {
    const { client, socket } = await start(t, { pingInterval: 60, pingTimeout: 80 });
    // The client hears the ping and says nothing: what a suspended phone does.
    client.io.engine._sendPacket = () => {};
    const [reason] = await event(socket, 'disconnect');
    assert.equal(reason, 'ping timeout');
  });
}

test('io.close() tells every socket "server shutting down"', async (t) => {
  const server = await startServer();
  t.after(() => server.close().catch(() => {}));
  const { client, socket } = await pair(server.io, server.url);
  const polling = await pair(server.io, server.url, { transport: 'polling' });
  const atServer = event(socket, 'disconnect');
  const atPolling = event(polling.socket, 'disconnect');
  const atClient = event(client, 'disconnect');
  await within(Promise.resolve(server.close()), 'close');
  assert.equal((await atServer)[0], 'server shutting down');
  assert.equal((await atPolling)[0], 'server shutting down');
  assert.ok(['io server disconnect', 'transport close'].includes((await atClient)[0]));
  polling.client.disconnect();
});

test('disconnecting comes first, while the rooms are still there; disconnect after they are gone', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  await socket.join(['a', 'b']);
  const seen = [];
  socket.on('disconnecting', (reason) => seen.push(['disconnecting', reason, [...socket.rooms].sort()]));
  socket.on('disconnect', (reason) => seen.push(['disconnect', reason, [...socket.rooms]]));
  client.disconnect();
  await until(() => seen.length === 2, 'both events');
  assert.deepEqual(seen, [
    ['disconnecting', 'client namespace disconnect', ['a', 'b', socket.id].sort()],
    ['disconnect', 'client namespace disconnect', []],
  ]);
  assert.equal(io.of('/').adapter.rooms.has('a'), false);
});

test('a handler of disconnecting can still tell the rooms', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const { client: other, socket: otherSocket } = await pair(io, url);
  await Promise.all([socket.join('room'), otherSocket.join('room')]);
  socket.on('disconnecting', () => {
    for (const room of socket.rooms) socket.to(room).emit('left', socket.id, room);
  });
  const told = event(other, 'left');
  const { id } = socket;
  client.disconnect();
  assert.deepEqual(await told, [id, 'room']);
});

test('disconnect is announced once even when both sides end at the same time', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  let count = 0;
  socket.on('disconnect', () => { count += 1; });
  client.disconnect();
  socket.disconnect(true);
  await until(() => io.engine.clientsCount === 0, 'connection gone');
  assert.equal(count, 1);
});

test('what is emitted to a socket after its end is dropped quietly', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const gone = event(socket, 'disconnect');
  client.disconnect();
  await gone;
  socket.emit('nobody', 1);
  socket.join('nowhere');
  io.to(socket.id).emit('nobody');
  assert.equal((await io.fetchSockets()).length, 0);
});

// socket.io lets the time run out, we tell at once: tests/node/acks-of-gone-clients.
const GONE = { message: isNative ? 'socket has been disconnected' : 'operation has timed out' };

test('pending acks with a timeout fail when the client goes away', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const answer = socket.timeout(100).emitWithAck('never answered');
  client.disconnect();
  await assert.rejects(within(answer, 'ack'), GONE);
});

test('pending acks with a timeout fail when the server ends the socket, those without are never called', async (t) => {
  const { io, url } = await serve(t);
  const { socket } = await pair(io, url);
  let called = false;
  socket.emit('never answered', () => { called = true; });
  const answer = socket.timeout(100).emitWithAck('never answered');
  socket.disconnect(true);
  await assert.rejects(within(answer, 'ack'), GONE);
  assert.equal(called, false);
});

test('an ack that was asked for in a middleware that refuses fails', async (t) => {
  const { io, url } = await serve(t);
  const answer = deferred();
  io.use((socket, next) => {
    socket.timeout(100).emit('never answered', (err) => answer.resolve(err));
    next(new Error('refused'));
  });
  open(url);
  assert.equal((await within(answer.promise, 'ack')).message, GONE.message);
});

test('acks that are pending when the server closes fail, broadcasts included', async () => {
  const { io, url, close } = await startServer();
  const { socket } = await pair(io, url);
  const answers = [
    socket.timeout(150).emitWithAck('never answered'),
    io.timeout(150).emitWithAck('never answered'),
  ];
  const failed = Promise.all(answers.map((answer) => (
    assert.rejects(within(answer, 'ack'), GONE)
  )));
  await close();
  await failed;
});

test('after the engine is closed whatever is called on its sockets throws nothing', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const ack = deferred();
  socket.on('ask', (done) => ack.resolve(done));
  client.emit('ask', () => {});
  const done = await within(ack.promise, 'question');
  const ended = event(socket, 'disconnect');
  io.engine.close();
  socket.emit('x', 1);
  socket.emit('x', Buffer.from('x'));
  socket.emit('x', () => {});
  const answer = assert.rejects(within(socket.timeout(50).emitWithAck('x'), 'ack'), GONE);
  socket.join('room');
  socket.leave('room');
  socket.broadcast.emit('x');
  io.emit('x');
  io.to('room').emit('x');
  io.socketsJoin('room');
  io.socketsLeave('room');
  done('late');
  socket.leaveAll();
  socket.disconnect();
  socket.disconnect(true);
  await ended;
  await answer;
});

test('clients that are connecting when the server closes harm nobody', async (t) => {
  const { io, url, close } = await startServer();
  t.after(close);
  let arrived = 0;
  io.on('connection', () => {
    arrived += 1;
    if (arrived === 1) close();
  });
  for (let n = 0; n < 20; n += 1) open(url);
  await until(() => arrived > 0, 'somebody');
  await close();
  assert.equal((await io.fetchSockets()).length, 0);
});

test('a client that a catch-all listener disconnects is not heard any more', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  let heard = 0;
  socket.on('work', () => { heard += 1; });
  socket.onAny(() => socket.disconnect());
  const ended = event(socket, 'disconnect');
  client.emit('work');
  assert.equal((await ended)[0], 'server namespace disconnect');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(heard, 0);
});

test('a client reconnects by itself after a lost connection and gets a new id', async (t) => {
  const { io, url } = await serve(t);
  const first = event(io, 'connection');
  const client = open(url, { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20 });
  const [before] = await first;
  await until(() => client.connected, 'connected');
  const second = event(io, 'connection');
  const told = event(client, 'disconnect');
  before.conn.close();
  assert.equal((await told)[0], 'transport close');
  const [after] = await second;
  await until(() => client.connected, 'reconnected');
  assert.equal(after.id, client.id);
  assert.notEqual(after.id, before.id);
  assert.equal(after.recovered, false);
});

test('a client reconnects to a server that was restarted on the same port', async (t) => {
  const first = await startServer();
  const client = open(first.url, { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 40 });
  await event(client, 'connect');
  const told = event(client, 'disconnect');
  await first.close();
  // "io server disconnect" would mean: don't come back. A shutdown must not say that.
  assert.equal((await told)[0], 'transport close');
  const second = new Server(first.port);
  t.after(() => {
    client.disconnect();
    return new Promise((resolve) => second.close(resolve));
  });
  await event(client, 'connect');
  assert.equal(client.connected, true);
});

test('a connection cut without a close frame is "transport close" or "transport error"', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const ended = event(socket, 'disconnect');
  client.io.engine.transport.ws._socket.destroy();
  const [reason] = await ended;
  assert.ok(['transport close', 'transport error'].includes(reason), reason);
});

test('a hundred clients leaving at once leave no sockets, rooms or connections', async (t) => {
  const { io, url } = await serve(t);
  const done = deferred();
  let gone = 0;
  io.on('connection', (socket) => {
    socket.join(['all', `own ${socket.id}`]);
    socket.on('disconnect', () => {
      gone += 1;
      if (gone === 100) done.resolve();
    });
  });
  const clients = await Promise.all(Array.from({ length: 100 }, () => connect(url)));
  await until(() => io.of('/').sockets.size === 100, 'hundred sockets');
  for (const [n, client] of clients.entries()) {
    if (n % 2) client.disconnect();
    else client.io.engine.close();
  }
  await within(done.promise, 'hundred disconnects');
  await until(() => io.engine.clientsCount === 0, 'no connections');
  assert.equal(io.of('/').sockets.size, 0);
  assert.equal(io.of('/').adapter.rooms.size, 0);
  assert.equal(io.of('/').adapter.sids.size, 0);
});
