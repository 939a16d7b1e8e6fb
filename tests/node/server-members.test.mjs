// The members of Server and Namespace that no other test has a reason to call.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { connect, open, pair } from '../support/clients.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { Server, isNative, nativeOnly } from '../support/subject.mjs';
import { event, record } from '../support/wait.mjs';

// Two members of room `r`, one client outside.
async function three(t, nsp = '/') {
  const { io, url } = await serve(t);
  const namespace = io.of(nsp);
  const clients = [];
  for (const joins of [true, true, false]) {
    const arrived = event(namespace, 'connection');
    clients.push(await connect(url + nsp));
    const [[socket]] = [await arrived];
    if (joins) socket.join('r');
  }
  return { io, namespace, clients, seen: clients.map(record) };
}

for (const kind of ['the server', 'a namespace']) {
  test(`every way to address sockets is there on ${kind}`, async (t) => {
    const { io, namespace, clients, seen } = await three(t, kind === 'the server' ? '/' : '/n');
    const target = kind === 'the server' ? io : namespace;
    // First, while nothing is being written.
    target.timeout(1000).volatile.to('r').emit('volatile');
    target.to('r').emit('to');
    target.in(['r', 'none']).emit('in');
    target.except('r').emit('except');
    target.local.emit('local');
    target.compress(true).emit('compress');
    assert.equal(target.send('a', 1), target);
    assert.equal(target.write('b'), target);
    const ends = clients.map((client) => event(client, 'end'));
    assert.equal(target.emit('end'), true);
    await Promise.all(ends);
    const all = ['local', 'compress', 'message a 1', 'message b', 'end'];
    const names = seen.map((events) => events.map((one) => one.join(' ')));
    assert.deepEqual(names[0], ['volatile', 'to', 'in', ...all]);
    assert.deepEqual(names[1], names[0]);
    assert.deepEqual(names[2], ['except', ...all]);
  });

  test(`acknowledgements, lists of sockets and mass operations are there on ${kind}`, async (t) => {
    const { io, namespace, clients } = await three(t, kind === 'the server' ? '/' : '/n');
    const target = kind === 'the server' ? io : namespace;
    clients.forEach((client, n) => client.on('ask', (ack) => ack(n)));
    assert.deepEqual((await target.timeout(2000).emitWithAck('ask')).sort(), [0, 1, 2]);
    const ids = new Set(clients.map((client) => client.id));
    assert.deepEqual(await target.allSockets(), ids);
    assert.equal((await target.in('r').allSockets()).size, 2);
    assert.deepEqual(new Set((await target.fetchSockets()).map(({ id }) => id)), ids);
    target.socketsJoin(['s', 'u']);
    assert.equal(namespace.adapter.rooms.get('u').size, 3);
    target.socketsLeave('s');
    assert.equal(namespace.adapter.rooms.has('s'), false);
    const gone = clients.map((client) => event(client, 'disconnect'));
    target.disconnectSockets(true);
    await Promise.all(gone);
    assert.equal(namespace.sockets.size, 0);
  });
}

test('emitWithAck on the server rejects in time when somebody does not answer', async (t) => {
  const { io, clients } = await three(t);
  clients[0].on('ask', (ack) => ack('here'));
  await assert.rejects(io.timeout(50).emitWithAck('ask'), (error) => {
    assert.deepEqual(error.responses, ['here']);
    return /operation has timed out/.test(error.message);
  });
});

test('serverSideEmit tells other servers, of which there are none, and refuses reserved names', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const { io } = await serve(t);
  let told = 0;
  io.on('news', () => (told += 1));
  assert.equal(io.serverSideEmit('news', 1), true);
  assert.equal(io.of('/n').serverSideEmit('news'), true);
  assert.equal(told, 0);
  for (const name of ['connect', 'connection', 'new_namespace']) {
    assert.throws(() => io.serverSideEmit(name), /is a reserved event name/);
  }
});

// socket.io's in-memory adapter warns and never calls back.
test('serverSideEmit with an acknowledgement is answered by nobody, at once', nativeOnly, async (t) => {
  const { io } = await serve(t);
  assert.deepEqual(await io.serverSideEmitWithAck('news'), []);
  const answer = new Promise((resolve) => io.serverSideEmit('news', (...args) => resolve(args)));
  assert.deepEqual(await answer, [null, []]);
});

test('adapter() gives the class that every namespace has one of, and takes it back', async (t) => {
  const { io, url } = await serve(t);
  const Adapter = io.adapter();
  assert.equal(typeof Adapter, 'function');
  assert.ok(io.of('/n').adapter instanceof Adapter);
  assert.equal(io.adapter(Adapter), io);
  const { client } = await pair(io, url);
  const got = event(client, 'x');
  io.emit('x', 1);
  assert.deepEqual(await got, [1]);
});

test('the adapter moves sockets by id and finds them by room', async (t) => {
  const { io, url } = await serve(t);
  const a = await pair(io, url);
  const b = await pair(io, url);
  const { adapter } = io.of('/');
  adapter.addAll(a.socket.id, new Set(['r', 's']));
  assert.deepEqual([...adapter.socketRooms(a.socket.id)].sort(), [a.socket.id, 'r', 's'].sort());
  assert.deepEqual(await adapter.sockets(new Set(['r'])), new Set([a.socket.id]));
  adapter.del(a.socket.id, 's');
  assert.equal(a.socket.rooms.has('s'), false);
  adapter.addSockets({ rooms: new Set(), except: new Set(['r']) }, ['t']);
  assert.deepEqual([...adapter.rooms.get('t')], [b.socket.id]);
  adapter.delSockets({ rooms: new Set(['t']) }, ['t']);
  assert.equal(adapter.rooms.has('t'), false);
  assert.equal((await adapter.fetchSockets({ rooms: new Set(['r']) }))[0].id, a.socket.id);
  assert.equal(await adapter.serverCount(), 1);
  assert.ok(adapter.rooms instanceof Map);
  assert.ok(adapter.sids instanceof Map);
  assert.deepEqual(new Set(adapter.sids.keys()), new Set([a.socket.id, b.socket.id]));
  const got = [event(a.client, 'x'), event(a.client, 'y')];
  adapter.broadcast({ type: 2, nsp: '/', data: ['x', 1] }, { rooms: new Set(['r']), except: new Set(), flags: {} });
  io.to('r').emit('y');
  assert.deepEqual(await Promise.all(got), [[1], []]);
  adapter.delAll(a.socket.id);
  assert.equal(a.socket.rooms.size, 0);
  const gone = event(b.socket, 'disconnect');
  adapter.disconnectSockets({ rooms: new Set([b.socket.id]) }, false);
  assert.equal((await gone)[0], 'server namespace disconnect');
});

test('_nsps holds every namespace by name, which tools read', async (t) => {
  const { io } = await serve(t);
  io.of('/b');
  assert.deepEqual([...io._nsps.keys()], ['/', '/b']);
  assert.equal(io._nsps.get('/b'), io.of('/b'));
});

test('two http servers may carry one server', async (t) => {
  const { io, url, httpServer } = await serveAttached(t);
  const second = createServer();
  io.attach(second);
  second.listen(0, '127.0.0.1');
  await once(second, 'listening');
  // io.close() is for the last one.
  t.after(() => httpServer.close());
  const clients = [
    await connect(url, { transport: 'polling' }),
    await connect(`http://127.0.0.1:${second.address().port}`, { transport: 'polling' }),
    await connect(`http://127.0.0.1:${second.address().port}`),
  ];
  const got = clients.map((client) => event(client, 'x'));
  io.emit('x', 'both');
  assert.deepEqual(await Promise.all(got), [['both'], ['both'], ['both']]);
});

for (const transport of ['polling', 'websocket', 'upgrade']) {
  test(`an application may hand requests to the engine itself over ${transport}`, async (t) => {
    const { io } = await serve(t);
    const front = createServer((req, res) => io.engine.handleRequest(req, res));
    front.on('upgrade', (req, socket, head) => io.engine.handleUpgrade(req, socket, head));
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    t.after(() => front.close());
    const { client, socket } = await pair(io, `http://127.0.0.1:${front.address().port}`, { transport });
    const got = event(socket, 'x');
    client.emit('x', Buffer.from('bytes'));
    assert.deepEqual(await got, [Buffer.from('bytes')]);
  });
}

test('engine.attach() and engine.upgrades() do what io does', async (t) => {
  const { io } = await serve(t);
  const front = createServer();
  io.engine.attach(front, { path: '/socket.io' });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.after(() => front.close());
  const client = await connect(`http://127.0.0.1:${front.address().port}`, { transport: 'polling' });
  assert.equal(client.connected, true);
  assert.ok(io.engine.upgrades('polling').includes('websocket'));
  assert.deepEqual(io.engine.upgrades('websocket'), []);
});

test('a server without a port reads and sets its options before it is attached', (t) => {
  const io = new Server({ path: '/a/', serveClient: false });
  t.after(() => (isNative ? io.close() : undefined));
  assert.equal(io.path(), '/a');
  assert.equal(io.path('/b/'), io);
  assert.equal(io.path(), '/b');
  assert.equal(io.serveClient(), false);
  assert.equal(io.serveClient(true), io);
  assert.equal(io.serveClient(), true);
  assert.equal(io.connectTimeout(5), io);
  assert.equal(io.connectTimeout(), 5);
});

test('a path that was set applies', async (t) => {
  const io = new Server();
  io.path('/moved');
  const front = createServer();
  io.attach(front);
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const url = `http://127.0.0.1:${front.address().port}`;
  t.after(() => new Promise((resolve) => io.close(resolve)));
  const client = await connect(url, { path: '/moved' });
  assert.equal(client.connected, true);
  const lost = open(url);
  await event(lost, 'connect_error');
  client.disconnect();
  lost.disconnect();
});
