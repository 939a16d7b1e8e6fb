// Whoever wants to see what is sent to a socket sees it, also what the core fans out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pair } from '../support/clients.mjs';
import { event, record } from '../support/wait.mjs';
import { bound, countWrites, settled } from './support/bound.mjs';

test('onAnyOutgoing hears emits, broadcasts and broadcasts with acks, for its own socket only', async (t) => {
  const { io, url } = await bound(t);
  const one = await pair(io, url);
  const two = await pair(io, url);
  const count = countWrites(io);
  one.client.on('ask', (ack) => ack('me'));
  two.client.on('ask', (ack) => ack('too'));
  const heard = [];
  const listener = (...args) => heard.push(args);
  one.socket.onAnyOutgoing(listener);
  one.socket.emit('single', 1);
  two.socket.emit('single', 2);
  io.emit('all', 3);
  io.to(two.socket.id).emit('other', 4);
  two.socket.broadcast.emit('from two', 5);
  one.socket.broadcast.emit('from one', 6);
  assert.equal((await io.timeout(5000).emitWithAck('ask')).length, 2);
  assert.deepEqual(heard.map(([name, value]) => [name, value]).slice(0, 4), [
    ['single', 1], ['all', 3], ['from two', 5], ['ask', undefined],
  ]);
  assert.equal(count.writes, 2, 'only the two emits');
  one.socket.offAnyOutgoing(listener);
  io.emit('unheard');
  assert.equal(heard.length, 4);
});

test('listeners that a middleware adds are heard from the first broadcast on', async (t) => {
  const { io, url } = await bound(t);
  const heard = [];
  io.use((socket, next) => {
    socket.prependAnyOutgoing((name) => heard.push(name));
    next();
  });
  const { client } = await pair(io, url);
  io.emit('first');
  await settled(io, [client]);
  assert.equal(heard[0], 'first');
});

test('packetCreate, flush and drain come with each packet, of a connection and of the engine', async (t) => {
  const { io, url } = await bound(t);
  const { socket, client } = await pair(io, url);
  const other = await pair(io, url);
  const seen = [];
  socket.conn.on('packetCreate', ({ type, data, options }) => seen.push([type, data, options.compress]));
  const flushes = [];
  socket.conn.on('flush', (buffer) => flushes.push(buffer.length));
  socket.conn.on('drain', () => flushes.push('drain'));
  const got = event(client, 'bytes');
  socket.emit('one', 1);
  io.emit('all', 2);
  io.compress(false).emit('bytes', Buffer.from([1]));
  other.socket.emit('not for us');
  assert.deepEqual(seen, [
    ['message', '2["one",1]', true],
    ['message', '2["all",2]', true],
    ['message', '51-["bytes",{"_placeholder":true,"num":0}]', false],
    ['message', Buffer.from([1]), false],
  ]);
  assert.deepEqual(flushes, [1, 'drain', 1, 'drain', 1, 'drain', 1, 'drain']);
  assert.deepEqual([...(await got)[0]], [1]);
  const engine = [];
  io.engine.on('drain', (conn) => engine.push(conn.id));
  io.emit('all', 3);
  assert.deepEqual(engine.sort(), [socket.conn.id, other.socket.conn.id].sort());
});

test('packet and heartbeat show what clients send, heartbeats included', async (t) => {
  const { io, url } = await bound(t, { options: { pingInterval: 40 } });
  const { socket, client } = await pair(io, url);
  const types = [];
  socket.conn.on('packet', ({ type, data }) => types.push(data === undefined ? type : `${type} ${data}`));
  await event(socket.conn, 'heartbeat');
  const heard = event(socket, 'hello');
  client.emit('hello');
  await heard;
  assert.ok(types.includes('pong'), types.join());
  assert.ok(types.includes('message 2["hello"]'), types.join());
});

test('a socket whose listeners are gone with it is not waited for', async (t) => {
  const { io, url } = await bound(t);
  const one = await pair(io, url);
  const two = await pair(io, url);
  const heard = [];
  one.socket.onAnyOutgoing((name) => heard.push(name));
  const gone = event(one.socket, 'disconnect');
  one.client.disconnect();
  await gone;
  const seen = record(two.client);
  io.emit('after');
  await settled(io, [two.client]);
  assert.deepEqual(heard, []);
  assert.equal(seen[0][0], 'after');
});
