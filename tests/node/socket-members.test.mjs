// The members that applications and frameworks use of a socket, a namespace and a server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { Server, nativeOnly, subjectModule } from '../support/subject.mjs';
import { deferred, event, events, until, within } from '../support/wait.mjs';

test('the module exports the classes, and instances are of them', async (t) => {
  const { Namespace, Socket } = subjectModule;
  const { io, url } = await serve(t);
  const { socket } = await pair(io, url);
  assert.ok(io instanceof Server);
  assert.ok(io.of('/') instanceof Namespace);
  assert.ok(socket instanceof Socket);
});

// socket.io exports these two as types only.
test('RemoteSocket and BroadcastOperator are exported too', nativeOnly, async (t) => {
  const { RemoteSocket, BroadcastOperator } = subjectModule;
  const { io, url } = await serve(t);
  await pair(io, url);
  assert.ok(io.to('x') instanceof BroadcastOperator);
  assert.ok((await io.fetchSockets())[0] instanceof RemoteSocket);
});

test('every listener method of an EventEmitter is there and works', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const calls = [];
  const a = () => calls.push('a');
  const b = () => calls.push('b');
  const once = () => calls.push('once');
  assert.equal(socket.addListener('x', a), socket);
  socket.on('x', b);
  socket.once('x', once);
  socket.prependListener('x', () => calls.push('first'));
  socket.prependOnceListener('x', () => calls.push('first once'));
  assert.equal(socket.listenerCount('x'), 5);
  assert.ok(socket.eventNames().includes('x'));
  client.emit('x');
  await until(() => calls.length === 5, 'five calls');
  assert.deepEqual(calls, ['first once', 'first', 'a', 'b', 'once']);
  socket.removeListener('x', a);
  socket.off('x', b);
  const done = event(socket, 'done');
  calls.length = 0;
  client.emit('x');
  client.emit('done');
  await done;
  assert.deepEqual(calls, ['first']);
  socket.removeAllListeners('x');
  assert.deepEqual(socket.listeners('x'), []);
});

test('an event nobody listens to is harmless, as is an ack nobody gives', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  client.emit('nobody', 1, Buffer.from('x'), () => {});
  const done = event(socket, 'done');
  client.emit('done');
  await done;
});

test('listeners added later, in a callback of the connection, miss nothing sent after it', async (t) => {
  const { io, url } = await serve(t);
  const seen = [];
  io.on('connection', (socket) => {
    socket.emit('hello');
    socket.on('reply', (n) => seen.push(n));
  });
  const client = await connect(url);
  for (let n = 0; n < 20; n += 1) client.emit('reply', n);
  await until(() => seen.length === 20, 'replies');
  assert.deepEqual(seen, Array.from({ length: 20 }, (_, n) => n));
});

test('onAny, prependAny and offAny see every incoming event', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const seen = [];
  const any = (...args) => seen.push(['any', ...args]);
  socket.onAny(any);
  socket.prependAny((...args) => seen.push(['first', ...args]));
  assert.equal(socket.listenersAny().length, 2);
  const got = event(socket, 'x');
  client.emit('x', 1);
  await got;
  assert.deepEqual(seen, [['first', 'x', 1], ['any', 'x', 1]]);
  socket.offAny(any);
  assert.equal(socket.listenersAny().length, 1);
  socket.offAny();
  assert.equal(socket.listenersAny().length, 0);
});

test('onAnyOutgoing sees emits and broadcasts to the socket', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const seen = [];
  socket.onAnyOutgoing((...args) => seen.push(args));
  assert.equal(socket.listenersAnyOutgoing().length, 1);
  const got = events(client, 'x', 2);
  socket.emit('x', 1);
  io.emit('x', 2);
  await got;
  assert.deepEqual(seen, [['x', 1], ['x', 2]]);
  socket.offAnyOutgoing();
  assert.equal(socket.listenersAnyOutgoing().length, 0);
});

test('nsp.sockets is a Map of the connected sockets by id', async (t) => {
  const { io, url } = await serve(t);
  const one = await pair(io, url);
  const two = await pair(io, url);
  const { sockets } = io.of('/');
  assert.ok(sockets instanceof Map);
  assert.equal(sockets.size, 2);
  assert.equal(sockets.get(one.client.id), one.socket);
  assert.deepEqual(new Set(sockets.keys()), new Set([one.client.id, two.client.id]));
  const gone = event(one.socket, 'disconnect');
  one.client.disconnect();
  await gone;
  assert.equal(sockets.size, 1);
  assert.equal(sockets.has(one.client.id), false);
});

test('io.engine.clientsCount counts connections, not sockets', async (t) => {
  const { io, url } = await serve(t);
  io.of('/other');
  const client = await connect(url, { forceNew: false });
  const other = client.io.socket('/other');
  await event(other, 'connect');
  await connect(url, { transport: 'polling' });
  assert.equal(io.engine.clientsCount, 2);
});

test('chained calls return what socket.io returns', async (t) => {
  const { io, url } = await serve(t);
  const { socket } = await pair(io, url);
  assert.equal(socket.emit('x'), true);
  assert.equal(socket.send('x'), socket);
  assert.equal(socket.write('x'), socket);
  assert.equal(socket.volatile, socket);
  assert.equal(socket.compress(true), socket);
  assert.equal(socket.timeout(10), socket);
  socket.emit('x', () => {});
  assert.equal(io.emit('x'), true);
  assert.equal(io.to('r').emit('x'), true);
  assert.equal(io.send('x'), io);
  assert.equal(io.use((_, next) => next()), io);
  assert.equal(socket.use((_, next) => next()), socket);
  assert.equal(socket.nsp, io.of('/'));
  assert.equal(socket.server, io);
  assert.equal(socket.nsp.server, io);
});

test('flags last for one emit only', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  client.on('late', (ack) => setTimeout(ack, 60, 'answer'));
  const first = deferred();
  socket.timeout(10).emit('late', (error) => first.resolve(error));
  assert.ok((await within(first.promise, 'timeout')) instanceof Error);
  const second = deferred();
  socket.emit('late', (...args) => second.resolve(args));
  assert.deepEqual(await within(second.promise, 'answer'), ['answer']);
});

test('rxjs-like use: addListener/removeListener with several arguments and the ack last', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const got = deferred();
  const listener = (...args) => got.resolve(args);
  socket.addListener('message', listener);
  const answer = client.emitWithAck('message', { body: 1 }, 'second');
  const args = await within(got.promise, 'arguments');
  assert.deepEqual(args.slice(0, 2), [{ body: 1 }, 'second']);
  assert.equal(typeof args[2], 'function');
  args[2]({ event: 'ok' });
  assert.deepEqual(await within(answer, 'ack'), { event: 'ok' });
  socket.removeListener('message', listener);
  assert.equal(socket.listenerCount('message'), 0);
});

test('an exception in a handler reaches uncaughtException and other events go on', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const existing = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const caught = deferred();
  process.once('uncaughtException', caught.resolve);
  t.after(() => existing.forEach((listener) => process.on('uncaughtException', listener)));
  socket.on('bad', () => { throw new Error('from the handler'); });
  const good = event(socket, 'good');
  client.emit('bad');
  client.emit('good', 1);
  assert.equal((await within(caught.promise, 'uncaughtException')).message, 'from the handler');
  assert.deepEqual(await good, [1]);
});

test('of() refuses a stateful RegExp', async (t) => {
  const { io } = await serve(t);
  assert.throws(() => io.of(/^\/x/g));
  assert.throws(() => io.of(/^\/x/y));
});

test('a rooms expression on a namespace acts in it only', async (t) => {
  const { io, url } = await serve(t);
  const chat = io.of('/chat');
  const arrived = event(chat, 'connection');
  const client = await connect(`${url}/chat`);
  const [socket] = await arrived;
  await pair(io, url);
  chat.in(socket.id).socketsJoin('r');
  const got = event(client, 'x');
  chat.to('r').emit('x', 1);
  assert.deepEqual(await got, [1]);
  assert.equal((await chat.fetchSockets()).length, 1);
  assert.equal((await io.fetchSockets()).length, 1);
  const ended = event(client, 'disconnect');
  chat.disconnectSockets();
  await ended;
  assert.equal((await io.fetchSockets()).length, 1);
});
