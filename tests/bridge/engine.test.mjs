// The engine's surface: what engine.io offers to socket.io, to plugins and to applications.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Socket as EngineClient } from 'engine.io-client';
import { connect, open, openV2, pair, upgraded } from '../support/clients.mjs';
import { openPolling, request } from '../support/http.mjs';
import { deferred, event, events, until, within } from '../support/wait.mjs';
import { bound } from './support/bound.mjs';

const opening = (url) => request(`${url}/socket.io/?EIO=4&transport=polling`);

test('a connection has the members of engine.io\'s socket', async (t) => {
  const { io, url } = await bound(t);
  const { socket, client } = await pair(io, url, { query: { a: 'b' }, extraHeaders: { 'x-me': '1' } });
  const { conn } = socket;
  assert.equal(conn.readyState, 'open');
  assert.equal(conn.protocol, 4);
  assert.equal(conn.upgraded, false);
  assert.deepEqual([conn.transport.name, conn.transport.writable, conn.transport.sid], ['websocket', true, conn.id]);
  assert.match(conn.remoteAddress, /127\.0\.0\.1$/);
  assert.equal(conn.server, io.engine);
  assert.equal(io.engine.clients[conn.id], conn);
  assert.equal(socket.request._query.a, 'b');
  assert.equal(socket.handshake.query.a, 'b');
  assert.equal(socket.handshake.headers['x-me'], '1');
  assert.equal(socket.handshake.address, conn.remoteAddress);
  assert.equal(socket.handshake.secure, false);
  assert.equal(client.io.engine.id, conn.id);
  const closed = event(conn, 'close');
  client.disconnect();
  assert.deepEqual((await closed)[0], 'transport close');
  assert.deepEqual([conn.readyState, conn.transport.writable], ['closed', false]);
  assert.deepEqual([io.engine.clientsCount, Object.keys(io.engine.clients).length], [0, 0]);
});

test('an upgrade is announced with its transport', async (t) => {
  const { io, url } = await bound(t);
  const arrived = event(io, 'connection');
  const client = open(url, { transport: 'upgrade' });
  const [socket] = await arrived;
  const old = socket.conn.transport;
  assert.equal(old.name, 'polling');
  const [transport] = await event(socket.conn, 'upgrade');
  assert.equal(transport.name, 'websocket');
  assert.equal(socket.conn.transport, transport);
  assert.equal(socket.conn.upgraded, true);
  assert.equal(old.writable, false);
  await upgraded(client);
});

test('send calls back with the transport once the message has left, in order', async (t) => {
  const { io, url } = await bound(t);
  for (const transport of ['websocket', 'polling']) {
    const arrived = event(io.engine, 'connection');
    const client = new EngineClient(url, { path: '/socket.io/', transports: [transport] });
    t.after(() => client.close());
    const [conn] = await arrived;
    const heard = events(client, 'message', 4);
    const order = [];
    const last = deferred();
    conn.send('a', {}, (used) => order.push(['a', used.name]));
    conn.write('b', () => order.push(['b']));
    conn.send(Buffer.from([7]), { compress: false }, () => order.push(['c']));
    conn.send(12, undefined, () => last.resolve());
    await within(last.promise, 'the last callback');
    assert.deepEqual(order, [['a', transport], ['b'], ['c']]);
    const messages = (await heard).map(([data]) => (typeof data === 'string' ? data : [...new Uint8Array(data)]));
    assert.deepEqual(messages, ['a', 'b', [7], '12']);
  }
});

test('messages without Socket.IO in them pass as they are', async (t) => {
  const { io, url } = await bound(t);
  const strange = ['', '\n', 'a\nb', '\u0000\u2028ü🐙', 'x'.repeat(200_000), Buffer.alloc(0), Buffer.alloc(100_000, 7)];
  // The client of socket.io must not see these.
  io.onconnection = () => {};
  io.engine.removeAllListeners('connection');
  for (const transport of ['websocket', 'polling']) {
    const arrived = event(io.engine, 'connection');
    const client = new EngineClient(url, { path: '/socket.io/', transports: [transport] });
    client.binaryType = 'arraybuffer';
    t.after(() => client.close());
    const [conn] = await arrived;
    const down = events(client, 'message', strange.length);
    for (const message of strange) conn.send(message);
    const seen = (await down).map(([data]) => (typeof data === 'string' ? data : data ? Buffer.from(data) : ''));
    assert.deepEqual(seen, strange);
    const up = events(conn, 'message', strange.length);
    await event(client, 'pong', 1).catch(() => {});
    for (const message of strange) client.send(message);
    assert.deepEqual((await up).map(([data]) => data ?? ''), strange);
  }
});

test('close() sends what was written before it, then ends the connection', async (t) => {
  const { io, url } = await bound(t);
  for (const transport of ['websocket', 'polling']) {
    const { socket, client } = await pair(io, url, { transport });
    const last = event(client, 'last');
    const ended = event(client, 'disconnect');
    const reason = event(socket, 'disconnect');
    socket.emit('last', 'words');
    socket.conn.close();
    assert.deepEqual(await last, ['words']);
    assert.equal((await ended)[0], 'transport close');
    assert.equal((await reason)[0], 'forced close');
    socket.emit('nobody hears');
    socket.conn.send('nobody');
  }
});

test('middlewares see each request, add headers, refuse, throw and reject', async (t) => {
  const { io, url } = await bound(t);
  const seen = [];
  io.engine.use((req, res, next) => {
    req.session = { user: 'ada' };
    res.setHeader('x-seen', 'yes');
    seen.push(req.method);
    next();
  });
  const { socket } = await pair(io, url);
  assert.deepEqual(socket.request.session, { user: 'ada' });
  assert.deepEqual(socket.handshake.headers, socket.request.headers);
  const polled = await pair(io, url, { transport: 'polling' });
  assert.deepEqual(polled.socket.request.session, { user: 'ada' });
  assert.equal((await opening(url)).headers['x-seen'], 'yes');
  const errors = [];
  io.engine.on('connection_error', ({ code, context }) => errors.push([code, context.name]));
  let fail = (req, res, next) => next(new Error('no'));
  io.engine.use((...args) => fail(...args));
  assert.equal((await opening(url)).status, 400);
  fail = () => {
    throw new Error('thrown');
  };
  assert.equal((await opening(url)).status, 400);
  fail = async () => {
    throw new Error('rejected');
  };
  assert.equal((await opening(url)).status, 400);
  await assert.rejects(connect(url));
  assert.deepEqual(errors, Array(4).fill([3, 'MIDDLEWARE_FAILURE']));
  fail = (req, res) => res.writeHead(418).end('teapot');
  assert.equal((await opening(url)).status, 418);
});

test('allowRequest, generateId, cookie and headers work on the request itself', async (t) => {
  const allowRequest = (req, callback) => callback(null, (req.allowed = !req.headers['x-bad']));
  const { io, url } = await bound(t, { options: { allowRequest, cookie: { name: 'sid', path: '/x' } } });
  io.engine.generateId = async (req) => `id-${req.allowed}`;
  io.engine.on('headers', (headers) => (headers['x-each'] = '1'));
  const session = await openPolling(url);
  assert.equal(session.sid, 'id-true');
  assert.match(session.answer.headers['set-cookie'][0], /^sid=id-true; Path=\/x; HttpOnly; SameSite=Lax$/i);
  assert.equal(session.answer.headers['x-each'], '1');
  const refused = await request(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { 'x-bad': '1' } });
  assert.equal(refused.status, 403);
  io.engine.generateId = undefined;
  assert.match(await io.engine.generateId(), /^[\w-]{20}$/);
});

test('clients of Engine.IO 3 get the ids and rooms that socket.io gives them', async (t) => {
  const { io, url } = await bound(t, { options: { allowEIO3: true } });
  for (const transport of ['websocket', 'polling']) {
    const arrived = event(io, 'connection');
    const client = openV2(url, { transport });
    const [socket] = await arrived;
    assert.equal(socket.conn.protocol, 3);
    assert.equal(socket.id, socket.conn.id);
    socket.join('room');
    const heard = event(client, 'hello');
    io.to('room').emit('hello', Buffer.from([1, 2]));
    assert.deepEqual([...Buffer.from((await heard)[0])], [1, 2]);
    const own = event(client, 'own');
    io.to(socket.id).emit('own');
    await own;
    const nsp = event(io.of('/chat'), 'connection');
    const chat = openV2(`${url}/chat`, { transport });
    const [inChat] = await nsp;
    assert.equal(inChat.id, `/chat#${inChat.conn.id}`);
    const again = event(chat, 'own');
    io.of('/chat').to(inChat.id).emit('own');
    await again;
  }
});

test('a client that does not answer heartbeats is closed: ping timeout', async (t) => {
  const { io, url } = await bound(t, { options: { pingInterval: 30, pingTimeout: 50 } });
  const session = await openPolling(url);
  const [conn] = Object.values(io.engine.clients);
  const [reason] = await event(conn, 'close');
  assert.equal(reason, 'ping timeout');
  assert.equal((await session.get()).status, 400);
});

test('a client that does not read is closed as a slow consumer, others go on', async (t) => {
  const { io, url } = await bound(t, { native: { maxOutboxBytes: 1 << 20 } });
  const { socket, client } = await pair(io, url);
  const other = await pair(io, url);
  client.io.engine.transport.ws._socket.pause();
  const ended = event(socket, 'disconnect');
  const pad = 'x'.repeat(100_000);
  let over = false;
  void ended.then(() => (over = true));
  for (let i = 0; i < 2000 && !over; i++) {
    io.emit('big', pad);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await ended)[0], 'slow consumer');
  assert.equal(other.socket.connected, true);
  await until(() => io.engine.stats().slowConsumers === 1, 'the figure');
});

test('volatile packets are dropped whole while a polling client is not there', async (t) => {
  const { io, url } = await bound(t);
  const session = await openPolling(url);
  const arrived = event(io, 'connection');
  await session.post('40');
  const [socket] = await arrived;
  await session.get();
  const bytes = [Buffer.from([1]), Buffer.from([2])];
  socket.volatile.emit('dropped', ...bytes);
  socket.volatile.emit('dropped');
  io.volatile.emit('dropped', ...bytes);
  socket.emit('kept', ...bytes);
  const { text } = await session.get();
  assert.equal(text.split('\u001e').length, 3);
  assert.match(text, /^452-\["kept"/);
  const waiting = session.get();
  // The poll has to be with the server before the packet is.
  await until(async () => (socket.volatile.emit('now', ...bytes), io.engine.stats().messagesOut >= 6), 'a poll waits');
  // Nothing is torn: what did not leave with the text is kept for the next poll.
  let packets = (await waiting).text.split('\u001e');
  while (packets.length < 3) packets = [...packets, ...(await session.get()).text.split('\u001e')];
  assert.match(packets[0], /^452-\["now"/);
  assert.deepEqual(packets.slice(1, 3), ['bAQ==', 'bAg==']);
});
