// Adapters that are derived from the in-memory one go on working, and their local delivery is native.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Server } from 'socket.io';
import { connect, pair } from '../support/clients.mjs';
import { event, record, until } from '../support/wait.mjs';
import { bound, countWrites, listening, settled } from './support/bound.mjs';

const require = createRequire(import.meta.url);
const { Adapter, ClusterAdapter } = createRequire(require.resolve('socket.io'))('socket.io-adapter');

test('an adapter of the application sees what it saw, and super.broadcast is native', async (t) => {
  const calls = [];
  class Own extends Adapter {
    addAll(id, rooms) {
      calls.push(['addAll', ...rooms]);
      return super.addAll(id, rooms);
    }

    broadcast(packet, options) {
      calls.push(['broadcast', packet.data[0]]);
      packet.data.push('signed');
      super.broadcast(packet, options);
    }
  }
  const { io, url } = await bound(t, { options: { adapter: Own } });
  assert.equal(io.adapter(), Own);
  assert.ok(io.sockets.adapter instanceof Own);
  const { socket, client } = await pair(io, url);
  socket.join('room');
  const count = countWrites(io);
  const heard = event(client, 'hello');
  io.to('room').emit('hello', 1);
  assert.deepEqual(await heard, [1, 'signed']);
  assert.equal(count.writes, 0);
  assert.deepEqual(calls, [['addAll', socket.id], ['addAll', 'room'], ['broadcast', 'hello']]);
});

test('an adapter given later, or as a function, is native too', async (t) => {
  const { io, url } = await bound(t);
  const made = [];
  io.adapter(function (nsp) {
    const adapter = new Adapter(nsp);
    made.push(nsp.name);
    return adapter;
  });
  io.of('/later');
  assert.deepEqual(made, ['/', '/later']);
  const { client } = await pair(io, url);
  const count = countWrites(io);
  const heard = event(client, 'hello');
  io.emit('hello');
  await heard;
  assert.equal(count.writes, 0);
});

test('rooms, sids and the events of the adapter are as without the bridge', async (t) => {
  const { io, url } = await bound(t);
  const { adapter } = io.sockets;
  const events = [];
  for (const name of ['create-room', 'join-room', 'leave-room', 'delete-room']) {
    adapter.on(name, (room, id) => events.push(id === undefined ? [name, room] : [name, room, id]));
  }
  const { socket, client } = await pair(io, url);
  const { id } = socket;
  socket.join(['a', 'b']);
  socket.leave('a');
  assert.deepEqual([...adapter.rooms.keys()], [id, 'b']);
  assert.deepEqual([...adapter.sids.get(id)], [id, 'b']);
  const gone = event(socket, 'disconnect');
  client.disconnect();
  await gone;
  assert.deepEqual(events, [
    ['create-room', id], ['join-room', id, id],
    ['create-room', 'a'], ['join-room', 'a', id], ['create-room', 'b'], ['join-room', 'b', id],
    ['leave-room', 'a', id], ['delete-room', 'a'],
    ['leave-room', id, id], ['delete-room', id], ['leave-room', 'b', id], ['delete-room', 'b'],
  ]);
  assert.deepEqual([adapter.rooms.size, adapter.sids.size, io.engine.stats().rooms], [0, 0, 0]);
});

test('servers of a cluster reach each other\'s clients, their own through the core', async (t) => {
  const bus = new EventEmitter();
  // The cluster adapter of socket.io-adapter over a bus within this process.
  class Local extends ClusterAdapter {
    constructor(nsp) {
      super(nsp);
      bus.on('message', (message) => message.uid !== this.uid && this.onMessage(structuredClone(message)));
      bus.on('response', (uid, response) => uid === this.uid && this.onResponse(structuredClone(response)));
    }

    doPublish(message) {
      setImmediate(() => bus.emit('message', message));
      return Promise.resolve('');
    }

    doPublishResponse(uid, response) {
      setImmediate(() => bus.emit('response', uid, response));
      return Promise.resolve();
    }

    serverCount() {
      return Promise.resolve(2);
    }
  }
  const one = await bound(t, { options: { adapter: Local } });
  const two = await bound(t, { options: { adapter: Local } });
  const a = await pair(one.io, one.url);
  const b = await pair(two.io, two.url);
  a.socket.join('room');
  b.socket.join('room');
  const counts = [countWrites(one.io), countWrites(two.io)];
  const heard = [event(a.client, 'hello'), event(b.client, 'hello')];
  one.io.to('room').emit('hello', 1);
  assert.deepEqual(await Promise.all(heard), [[1], [1]]);
  for (const { client } of [a, b]) client.on('ask', (ack) => ack(client === a.client ? 'a' : 'b'));
  const answers = await one.io.timeout(5000).to('room').emitWithAck('ask');
  assert.deepEqual(answers.sort(), ['a', 'b']);
  const seen = record(b.client);
  one.io.local.emit('here only');
  const end = event(b.client, 'end');
  one.io.emit('end');
  await end;
  assert.deepEqual(seen, [['end']]);
  assert.deepEqual(counts.map(({ writes }) => writes), [0, 0]);
});

test('a socket that comes back gets its id, rooms, data and what it missed', async (t) => {
  const options = { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } };
  const { io, url } = await bound(t, { options });
  const { socket, client } = await pair(io, url, { reconnection: true, reconnectionDelay: 10 });
  const { id } = socket;
  socket.join('room');
  socket.data.user = 'ada';
  const first = event(client, 'first');
  io.to('room').emit('first');
  await first;
  const back = event(io, 'connection');
  const seen = record(client);
  const gone = event(socket, 'disconnect');
  client.io.engine.close();
  await gone;
  io.to('room').emit('missed', 1);
  io.to('elsewhere').emit('not missed');
  io.to(id).emit('missed', 2);
  const [again] = await back;
  assert.deepEqual([again.recovered, again.id, again.data], [true, id, { user: 'ada' }]);
  assert.ok(again.rooms.has('room'));
  const after = event(client, 'after');
  io.to('room').emit('after');
  await after;
  assert.equal(client.recovered, true);
  assert.deepEqual(seen.map(([name, value]) => [name, typeof value === 'number' ? value : 0]), [
    ['missed', 1], ['missed', 2], ['after', 0],
  ]);
});

test('a server that closes takes nothing from others of the process, bound or not', async (t) => {
  const closing = await bound(t);
  const staying = await bound(t);
  const http = createServer();
  const plain = await listening(t, new Server(http), http);
  const a = await pair(staying.io, staying.url);
  const b = await pair(plain.io, plain.url);
  // socket.io puts the methods of the in-memory adapter back whenever a server closes.
  await closing.close();
  for (const { io, socket, client } of [{ io: staying.io, ...a }, { io: plain.io, ...b }]) {
    socket.join('room');
    const heard = event(client, 'hello');
    io.to('room').emit('hello');
    await heard;
    socket.leave('room');
    const seen = record(client);
    io.to('room').emit('left');
    await settled(io, [client]);
    assert.equal(seen.length, 1);
  }
  const count = countWrites(staying.io);
  const plainCount = countWrites(plain.io);
  staying.io.emit('x');
  plain.io.emit('x');
  assert.deepEqual([count.writes, plainCount.writes], [0, 1]);
});

test('sockets, fetchSockets, socketsJoin, socketsLeave and disconnectSockets are the adapter\'s', async (t) => {
  const { io, url } = await bound(t);
  const pairs = [await pair(io, url), await pair(io, url), await pair(io, url)];
  const [one, two, three] = pairs.map(({ socket }) => socket.id);
  io.in([one, two]).socketsJoin('both');
  const found = await io.in('both').fetchSockets();
  assert.deepEqual(found.map(({ id }) => id).sort(), [one, two].sort());
  io.in(two).socketsLeave('both');
  const seen = pairs.map(({ client }) => record(client));
  io.to('both').emit('here');
  await settled(io, pairs.map(({ client }) => client));
  assert.deepEqual(seen.map((list) => list[0][0] === 'here'), [true, false, false]);
  const ended = event(pairs[2].client, 'disconnect');
  io.in(three).disconnectSockets(true);
  assert.equal((await ended)[0], 'io server disconnect');
  await until(() => io.engine.clientsCount === 2, 'two clients');
});

test('sockets on connections that are not the bridge\'s are reached as well', async (t) => {
  const { io, url } = await bound(t);
  const { client } = await pair(io, url);
  // A connection of another engine, as io.onconnection takes any.
  const sent = [];
  const conn = Object.assign(new EventEmitter(), {
    id: 'other', protocol: 4, readyState: 'open', request: { headers: {}, connection: {} }, remoteAddress: '',
    transport: { writable: true, name: 'other' },
    write: (data) => sent.push(data),
    close: () => conn.emit('close', 'forced close'),
  });
  const arrived = event(io, 'connection');
  io.onconnection(conn);
  conn.emit('data', '0');
  await arrived;
  const heard = event(client, 'hello');
  io.emit('hello');
  await heard;
  assert.ok(sent.includes('2["hello"]'), sent.join());
  conn.readyState = 'closed';
  conn.emit('close', 'transport close');
  const count = countWrites(io);
  io.emit('native again');
  assert.equal(count.writes, 0);
});

test('a client that is on several namespaces is one connection', async (t) => {
  const { io, url } = await bound(t);
  io.of('/other');
  const main = await connect(url);
  const other = main.io.socket('/other');
  await event(other, 'connect');
  assert.deepEqual([io.engine.stats().connections, io.engine.stats().sockets], [1, 2]);
  const heard = [event(main, 'a'), event(other, 'b')];
  io.emit('a');
  io.of('/other').emit('b');
  await Promise.all(heard);
  other.disconnect();
  await until(() => io.engine.stats().sockets === 1, 'one socket');
  const still = event(main, 'a');
  io.emit('a');
  await still;
});
