// Namespaces: static, by pattern, by function; CONNECT with auth; what a namespace keeps apart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, connect, connected, open, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { deferred, event, until, within } from '../support/wait.mjs';

for (const transport of Object.keys(TRANSPORTS)) {
  test(`an unknown namespace is answered with "Invalid namespace" over ${transport}`, async (t) => {
    const { url } = await serve(t);
    const client = open(`${url}/nowhere`, { transport });
    const [error] = await event(client, 'connect_error');
    assert.equal(error.message, 'Invalid namespace');
    assert.equal(client.connected, false);
    assert.equal(client.active, false);
  });
}

test('of() adds the leading slash and returns the same namespace each time', async (t) => {
  const { io } = await serve(t);
  assert.equal(io.of('chat'), io.of('/chat'));
  assert.equal(io.of('chat').name, '/chat');
  assert.equal(io.of('/'), io.sockets);
  assert.equal(io.of('/').name, '/');
});

test('of(name, listener) listens for connections', async (t) => {
  const { io, url } = await serve(t);
  const arrived = deferred();
  io.of('/listen', arrived.resolve);
  const client = await connect(`${url}/listen`);
  assert.equal((await within(arrived.promise, 'connection')).id, client.id);
});

test('`connect` and `connection` are both announced, on the namespace and on the server', async (t) => {
  const { io, url } = await serve(t);
  const seen = [];
  io.on('connect', () => seen.push('io connect'));
  io.on('connection', () => seen.push('io connection'));
  io.of('/').on('connect', () => seen.push('nsp connect'));
  await connect(url);
  await until(() => seen.length === 3, 'all three');
});

test('one connection carries several namespaces with ids of their own', async (t) => {
  const { io, url } = await serve(t);
  const ids = {};
  for (const name of ['/', '/a', '/b']) io.of(name).on('connection', (socket) => { ids[name] = socket; });
  const root = await connect(url, { forceNew: false });
  const a = root.io.socket('/a');
  await connected(a);
  const b = root.io.socket('/b');
  await connected(b);
  await until(() => Object.keys(ids).length === 3, 'three sockets');
  assert.equal(new Set([root.id, a.id, b.id, root.io.engine.id]).size, 4);
  assert.equal(ids['/a'].id, a.id);
  assert.equal(ids['/b'].id, b.id);
  assert.equal(ids['/a'].nsp.name, '/a');
  assert.equal(ids['/a'].client, ids['/b'].client);
  assert.equal(io.engine.clientsCount, 1);
});

test('events, rooms and broadcasts of one namespace do not reach another', async (t) => {
  const { io, url } = await serve(t);
  io.of('/a').on('connection', (socket) => socket.join('room'));
  io.of('/b').on('connection', (socket) => socket.join('room'));
  const a = await connect(`${url}/a`);
  const b = await connect(`${url}/b`);
  const strays = [];
  b.onAny((name) => strays.push(name));
  const got = [];
  a.onAny((name) => got.push(name));
  io.of('/a').emit('to all');
  io.of('/a').to('room').emit('to room');
  io.emit('to root');
  const last = event(b, 'last');
  const lastA = event(a, 'last');
  io.of('/a').emit('last');
  io.of('/b').emit('last');
  await Promise.all([last, lastA]);
  assert.deepEqual(got, ['to all', 'to room', 'last']);
  assert.deepEqual(strays, ['last']);
});

test('leaving one namespace leaves the others connected', async (t) => {
  const { io, url } = await serve(t);
  io.of('/a');
  const { client: root, socket } = await pair(io, url, { forceNew: false });
  const arrived = event(io.of('/a'), 'connection');
  const a = root.io.socket('/a');
  await connected(a);
  const [inA] = await arrived;
  const gone = event(inA, 'disconnect');
  a.disconnect();
  assert.equal((await gone)[0], 'client namespace disconnect');
  const alive = event(socket, 'alive');
  root.emit('alive');
  await alive;
  assert.equal(inA.connected, false);
  assert.equal(socket.connected, true);
});

test('a client can come back to a namespace it left, with a new id', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const firstId = client.id;
  const gone = event(socket, 'disconnect');
  client.disconnect();
  await gone;
  const again = event(io, 'connection');
  client.connect();
  const [second] = await again;
  await until(() => client.connected, 'connected again');
  assert.equal(second.id, client.id);
  assert.notEqual(second.id, firstId);
});

test('auth, as an object or from a function, is in the handshake; query is of the connection', async (t) => {
  const { io, url } = await serve(t);
  const token = { token: 'é"\\', nested: { list: [1, null, true] } };
  const { socket } = await pair(io, url, { auth: token, query: { room: 'x y', n: 1 } });
  assert.deepEqual(socket.handshake.auth, token);
  assert.equal(socket.handshake.query.room, 'x y');
  assert.equal(socket.handshake.query.n, '1');
  assert.equal(socket.handshake.query.EIO, '4');
  assert.equal(socket.handshake.query.transport, 'websocket');
  const { socket: other } = await pair(io, url, { auth: (cb) => setImmediate(cb, { late: true }) });
  assert.deepEqual(other.handshake.auth, { late: true });
  const { socket: none } = await pair(io, url);
  assert.deepEqual(none.handshake.auth, {});
});

test('the handshake tells headers, address, time and url, and is an ordinary mutable object', async (t) => {
  const { io, url } = await serve(t);
  const before = Date.now();
  const { socket } = await pair(io, url, { extraHeaders: { 'X-Custom': 'yes' } });
  const { handshake } = socket;
  assert.equal(handshake.headers['x-custom'], 'yes');
  assert.match(handshake.headers.host, /^127\.0\.0\.1:\d+$/);
  assert.match(handshake.address, /127\.0\.0\.1$/);
  assert.ok(handshake.issued >= before - 1000 && handshake.issued <= Date.now() + 1000);
  assert.equal(Number.isNaN(Date.parse(handshake.time)), false);
  assert.equal(handshake.secure, false);
  assert.equal(handshake.xdomain, false);
  assert.match(handshake.url, /^\/socket\.io\/\?.*EIO=4/);
  handshake.user = { id: 7 };
  assert.deepEqual(socket.handshake.user, { id: 7 });
  socket.data.kept = 'here';
  assert.equal(socket.data.kept, 'here');
});

test('namespaces by RegExp are made on demand and inherit middleware and listeners', async (t) => {
  const { io, url } = await serve(t);
  const parent = io.of(/^\/room-\d+$/);
  const checked = [];
  parent.use((socket, next) => {
    checked.push(socket.nsp.name);
    next();
  });
  const arrivals = [];
  parent.on('connection', (socket) => arrivals.push([socket.nsp.name, socket]));
  const one = await connect(`${url}/room-1`);
  const two = await connect(`${url}/room-22`);
  await until(() => arrivals.length === 2, 'two arrivals');
  assert.deepEqual(checked, ['/room-1', '/room-22']);
  assert.deepEqual(arrivals.map(([name]) => name), ['/room-1', '/room-22']);
  const refused = open(`${url}/room-x`);
  assert.equal((await event(refused, 'connect_error'))[0].message, 'Invalid namespace');

  const toOne = event(one, 'hello');
  const toTwo = event(two, 'hello');
  parent.emit('hello', 'all rooms');
  assert.deepEqual(await toOne, ['all rooms']);
  assert.deepEqual(await toTwo, ['all rooms']);
  const only = event(one, 'only');
  arrivals[0][1].nsp.emit('only');
  await only;
});

test('a namespace named before a pattern stands alone, one named after it is its child', async (t) => {
  const { io, url } = await serve(t);
  const seen = [];
  io.of('/x-before').on('connection', () => seen.push('before'));
  io.of(/^\/x-/).on('connection', (socket) => seen.push(`pattern ${socket.nsp.name}`));
  io.of('/x-after').on('connection', () => seen.push('after'));
  await connect(`${url}/x-before`);
  await connect(`${url}/x-after`);
  await until(() => seen.length === 3, 'three arrivals');
  assert.deepEqual(seen, ['before', 'pattern /x-after', 'after']);
});

test('namespaces by function decide asynchronously with name and auth', async (t) => {
  const { io, url } = await serve(t);
  const asked = [];
  io.of((name, auth, next) => {
    asked.push([name, auth]);
    setImmediate(next, null, auth.tenant === 'known');
  });
  const good = await connect(`${url}/tenant`, { auth: { tenant: 'known' } });
  assert.equal(good.connected, true);
  const bad = open(`${url}/other`, { auth: { tenant: 'no' } });
  assert.equal((await event(bad, 'connect_error'))[0].message, 'Invalid namespace');
  assert.deepEqual(asked, [['/tenant', { tenant: 'known' }], ['/other', { tenant: 'no' }]]);
});

test('new_namespace announces namespaces made by name and by pattern', async (t) => {
  const { io, url } = await serve(t);
  const made = [];
  io.on('new_namespace', (nsp) => made.push(nsp.name));
  io.of('/static');
  io.of(/^\/dyn/);
  await connect(`${url}/dynamic`);
  assert.ok(made.includes('/static'));
  assert.ok(made.includes('/dynamic'));
});

test('cleanupEmptyChildNamespaces removes a child when its last socket is gone', async (t) => {
  const { io, url } = await serve(t, { cleanupEmptyChildNamespaces: true });
  io.of(/^\/temp-/);
  const client = await connect(`${url}/temp-1`);
  assert.equal(io._nsps.has('/temp-1'), true);
  client.disconnect();
  await until(() => !io._nsps.has('/temp-1'), 'child removed');
});

test('a client that sends no CONNECT within connectTimeout is closed, one that joined is not', async (t) => {
  const { io, url } = await serve(t, { connectTimeout: 500 });
  const { client } = await pair(io, url);
  const late = open(url, { autoConnect: false });
  const closed = deferred();
  late.io.open((error) => {
    if (error) closed.reject(error);
    late.io.engine.on('close', closed.resolve);
  });
  await within(closed.promise, 'closed for want of CONNECT');
  assert.equal(client.connected, true);
});

test('namespace names may hold queries and any characters but a comma', async (t) => {
  const { io, url } = await serve(t);
  io.of('/é-😀/deep/er');
  const manager = open(url, { autoConnect: false }).io;
  const client = manager.socket('/é-😀/deep/er');
  const done = connected(client);
  client.connect();
  await done;
  assert.equal(client.connected, true);
});
