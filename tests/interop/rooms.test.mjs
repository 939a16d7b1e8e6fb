// Rooms: who is in, who is addressed, who is left out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { event, record, until } from '../support/wait.mjs';

// `names` connected clients; `got()` tells, after a last event to everybody, what each one received.
async function crowd(t, names, options = {}) {
  const { io, url } = await serve(t);
  const clients = {};
  const sockets = {};
  const seen = {};
  for (const name of names) {
    const ends = await pair(io, url, options);
    clients[name] = ends.client;
    sockets[name] = ends.socket;
    seen[name] = record(ends.client);
  }
  async function got() {
    const last = names.map((name) => event(clients[name], 'last'));
    for (const name of names) sockets[name].emit('last');
    await Promise.all(last);
    return Object.fromEntries(names.map((name) => [name, seen[name].slice(0, -1).map(([event]) => event).join(' ')]));
  }
  return { io, url, clients, sockets, got };
}

for (const transport of Object.keys(TRANSPORTS)) {
  test(`to, in, except, several rooms: each member is addressed once, over ${transport}`, async (t) => {
    const { io, sockets, got } = await crowd(t, ['a', 'b', 'c', 'd'], { transport });
    sockets.a.join('red');
    sockets.b.join(['red', 'blue']);
    sockets.c.join('blue');
    io.to('red').emit('red');
    io.in('blue').emit('blue');
    io.to('red').to('blue').emit('either');
    io.to(['red', 'blue']).except('blue').emit('only-red');
    io.except('red').emit('not-red');
    io.except(['red', 'blue']).emit('neither');
    io.to('nobody').emit('nobody');
    io.to(sockets.d.id).emit('own-room');
    io.emit('all');
    assert.deepEqual(await got(), {
      a: 'red either only-red all',
      b: 'red blue either all',
      c: 'blue either not-red all',
      d: 'not-red neither own-room all',
    });
  });

  test(`a socket's own broadcasts leave it out, over ${transport}`, async (t) => {
    const { sockets, got } = await crowd(t, ['a', 'b', 'c'], { transport });
    for (const name of ['a', 'b']) sockets[name].join('room');
    sockets.a.to('room').emit('to');
    sockets.a.in('room').emit('in');
    sockets.a.broadcast.emit('broadcast');
    sockets.a.except('room').emit('except');
    sockets.a.broadcast.to('room').emit('both');
    sockets.a.local.emit('local');
    sockets.a.to(sockets.a.id).emit('self');
    sockets.c.to('room').emit('outsider');
    assert.deepEqual(await got(), {
      a: 'outsider',
      b: 'to in broadcast both local outsider',
      c: 'broadcast except local',
    });
  });
}

test('rooms is a Set with the own id; join and leave show at once', async (t) => {
  const { io, sockets } = await crowd(t, ['a']);
  const { a } = sockets;
  assert.ok(a.rooms instanceof Set);
  assert.deepEqual([...a.rooms], [a.id]);
  a.join('x');
  a.join('x');
  a.join(['y', 'z']);
  assert.deepEqual([...a.rooms], [a.id, 'x', 'y', 'z']);
  assert.deepEqual([...io.of('/').adapter.rooms.get('x')], [a.id]);
  a.leave('x');
  a.leave('never joined');
  assert.equal(a.rooms.has('x'), false);
  assert.equal(io.of('/').adapter.rooms.has('x'), false);
  assert.deepEqual([...io.of('/').adapter.sids.get(a.id)].sort(), [a.id, 'y', 'z'].sort());
});

test('leaving the own-id room is allowed and only ends being addressed by id', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a', 'b']);
  sockets.a.leave(sockets.a.id);
  io.to(sockets.a.id).emit('by-id');
  io.emit('all');
  sockets.a.emit('direct');
  assert.deepEqual(await got(), { a: 'all direct', b: 'all' });
});

test('a room is any string', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a']);
  const names = ['', ' ', 'channel:1', 'é😀', 'a'.repeat(10_000), '__proto__', 'toString', '\u0000', '*', '/'];
  for (const [n, name] of names.entries()) {
    sockets.a.join(name);
    io.to(name).emit(`n${n}`);
  }
  assert.deepEqual(await got(), { a: names.map((_, n) => `n${n}`).join(' ') });
  for (const name of names) assert.ok(sockets.a.rooms.has(name));
});

test('rooms whose names are not well-formed Unicode are told apart', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a', 'b', 'c']);
  const [high, low, replacement] = ['x\ud800', '\udc00x', 'x\ufffd'];
  sockets.a.join(high);
  sockets.b.join([low, replacement]);
  sockets.c.join([high, '\u0000string "x"']);
  io.to(high).emit('high');
  io.to(low).emit('low');
  io.to(replacement).except(high).emit('replacement');
  io.to('\u0000string "x"').emit('odd');
  io.except(low).emit('notlow');
  sockets.c.leave(high);
  io.to([high, 'nobody']).emit('again');
  io.in(high).socketsJoin('\udbff');
  io.to('\udbff').emit('joined');
  io.in('\udbff').socketsLeave(high);
  io.to(high).emit('left');
  assert.deepEqual(await got(), {
    a: 'high notlow again joined', b: 'low replacement', c: 'high odd notlow',
  });
});

test('a room that was joined by a number is left by it', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a', 'b', 'c']);
  sockets.a.join(7);
  sockets.b.join(7);
  sockets.c.join([7, 8]);
  sockets.a.leave(7);
  await io.of('/').adapter.del(sockets.b.id, 7);
  io.to(7).emit('left');
  assert.equal(io.of('/').adapter.rooms.has(7), true);
  assert.deepEqual([...io.of('/').adapter.rooms.get(7)], [sockets.c.id]);
  assert.equal(sockets.a.rooms.size, 1);
  io.of('/').adapter.delSockets({ rooms: new Set([8]), except: new Set() }, [7]);
  io.to(7).emit('all gone');
  assert.equal(io.of('/').adapter.rooms.has(7), false);
  assert.deepEqual(await got(), { a: '', b: '', c: 'left' });
});

test('rooms given as numbers are told apart from none', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a', 'b']);
  sockets.a.join(7);
  io.to(7).emit('seven');
  assert.deepEqual(await got(), { a: 'seven', b: '' });
});

test('join and leave take effect between the emits around them', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a']);
  io.to('r').emit('before');
  sockets.a.join('r');
  io.to('r').emit('inside');
  sockets.a.leave('r');
  io.to('r').emit('after');
  io.in(sockets.a.id).socketsJoin('r');
  io.to('r').emit('again');
  io.in('r').socketsLeave('r');
  io.to('r').emit('gone');
  assert.deepEqual(await got(), { a: 'inside again' });
});

test('a broadcast operator is a value: chaining makes a new one', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a', 'b']);
  sockets.a.join('a');
  sockets.b.join('b');
  const base = io.to('a');
  const both = base.to('b');
  const notB = both.except('b');
  base.emit('base');
  both.emit('both');
  notB.emit('not-b');
  base.emit('base-again');
  io.emit('all');
  assert.deepEqual(await got(), { a: 'base both not-b base-again all', b: 'both all' });
});

test('local and compress change how, not to whom', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a', 'b']);
  sockets.a.join('r');
  io.local.to('r').emit('local');
  io.compress(false).to('r').emit('plain');
  io.to('r').compress(true).emit('compressed');
  sockets.a.compress(false).emit('socket-plain');
  assert.deepEqual(await got(), { a: 'local plain compressed socket-plain', b: '' });
});

test('send and write emit "message"', async (t) => {
  const { io, sockets, clients } = await crowd(t, ['a']);
  for (const [sender, name] of [[io, 'send'], [io, 'write'], [sockets.a, 'send'], [sockets.a, 'write']]) {
    const got = event(clients.a, 'message');
    sender[name]('x', 1);
    assert.deepEqual(await got, ['x', 1]);
  }
});

test('binary and text broadcasts reach websocket and polling members alike', async (t) => {
  const { io, url } = await serve(t);
  const members = [];
  for (const transport of Object.keys(TRANSPORTS)) {
    const { client, socket } = await pair(io, url, { transport });
    socket.join('mixed');
    members.push(client);
  }
  const bytes = Buffer.from([0, 30, 255]);
  const got = members.map((client) => event(client, 'news'));
  io.to('mixed').emit('news', { bytes, text: 'é\u001e' }, bytes);
  for (const [value, direct] of await Promise.all(got)) {
    assert.deepEqual(Buffer.from(value.bytes), bytes);
    assert.deepEqual(Buffer.from(direct), bytes);
    assert.equal(value.text, 'é\u001e');
  }
});

test('socketsJoin and socketsLeave act on a room expression', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a', 'b', 'c']);
  sockets.a.join('source');
  sockets.b.join(['source', 'spared']);
  io.in('source').except('spared').socketsJoin(['x', 'y']);
  io.to('x').emit('x');
  io.socketsJoin('everyone');
  io.to('everyone').emit('everyone');
  io.in('x').socketsLeave('y');
  io.to('y').emit('y');
  io.socketsLeave('everyone');
  io.to('everyone').emit('nobody');
  assert.deepEqual(await got(), { a: 'x everyone', b: 'everyone', c: 'everyone' });
  assert.deepEqual([...sockets.a.rooms].sort(), [sockets.a.id, 'source', 'x'].sort());
});

test('a socket can be joined from afar by its id', async (t) => {
  const { io, sockets, got } = await crowd(t, ['a', 'b']);
  io.in(sockets.a.id).socketsJoin('r');
  await until(() => sockets.a.rooms.has('r'), 'joined');
  io.to('r').emit('r');
  assert.deepEqual(await got(), { a: 'r', b: '' });
});

test('disconnectSockets ends the members of a room expression and nobody else', async (t) => {
  const { io, sockets, clients } = await crowd(t, ['a', 'b', 'c']);
  sockets.a.join('out');
  sockets.b.join('out');
  const ended = ['a', 'b'].map((name) => event(clients[name], 'disconnect'));
  const reasons = ['a', 'b'].map((name) => event(sockets[name], 'disconnect'));
  io.in('out').disconnectSockets();
  for (const [reason] of await Promise.all(ended)) assert.equal(reason, 'io server disconnect');
  for (const [reason] of await Promise.all(reasons)) assert.equal(reason, 'server namespace disconnect');
  assert.equal(sockets.c.connected, true);
  const closed = event(clients.c.io.engine, 'close');
  io.disconnectSockets(true);
  await closed;
});

test('fetchSockets lists id, rooms, handshake and data, and each entry can be acted upon', async (t) => {
  const { io, sockets, clients } = await crowd(t, ['a', 'b']);
  sockets.a.join(['r', 's']);
  sockets.a.data.user = { id: 7 };
  assert.equal((await io.fetchSockets()).length, 2);
  assert.deepEqual(await io.in('nobody').fetchSockets(), []);
  const [remote, ...others] = await io.in('r').fetchSockets();
  assert.equal(others.length, 0);
  assert.equal(remote.id, sockets.a.id);
  assert.deepEqual(new Set(remote.rooms), new Set([sockets.a.id, 'r', 's']));
  assert.deepEqual(remote.data, { user: { id: 7 } });
  assert.equal(remote.handshake.query.EIO, '4');
  const got = event(clients.a, 'to-one');
  remote.emit('to-one', 1);
  assert.deepEqual(await got, [1]);
  remote.join('t');
  await until(() => sockets.a.rooms.has('t'), 'joined');
  remote.leave('t');
  await until(() => !sockets.a.rooms.has('t'), 'left');
  const ended = event(clients.a, 'disconnect');
  remote.disconnect();
  await ended;
});

test('allSockets gives the ids as a Set', async (t) => {
  const { io, sockets } = await crowd(t, ['a', 'b']);
  sockets.a.join('r');
  assert.deepEqual(await io.allSockets(), new Set([sockets.a.id, sockets.b.id]));
  assert.deepEqual(await io.in('r').allSockets(), new Set([sockets.a.id]));
});

test('the adapter announces create-room, join-room, leave-room and delete-room', async (t) => {
  const { io, sockets } = await crowd(t, ['a', 'b']);
  const seen = [];
  for (const name of ['create-room', 'join-room', 'leave-room', 'delete-room']) {
    io.of('/').adapter.on(name, (room) => room === 'r' && seen.push(name));
  }
  sockets.a.join('r');
  sockets.b.join('r');
  sockets.a.leave('r');
  sockets.b.leave('r');
  await until(() => seen.length === 6, 'six events');
  assert.deepEqual(seen, ['create-room', 'join-room', 'join-room', 'leave-room', 'leave-room', 'delete-room']);
});

test('volatile emits keep their order and reach a client that keeps up', async (t) => {
  const { io, sockets, clients } = await crowd(t, ['a']);
  sockets.a.join('r');
  const got = record(clients.a);
  for (let n = 0; n < 6; n += 2) {
    for (const [target, value] of [[sockets.a, n], [io.to('r'), n + 1]]) {
      const arrived = event(clients.a, 'v');
      target.volatile.emit('v', value);
      await arrived;
    }
  }
  assert.deepEqual(got.map(([, n]) => n), [0, 1, 2, 3, 4, 5]);
});

test('a volatile emit to a polling client without an open request is dropped, a plain one waits', async (t) => {
  const { url, io } = await serve(t);
  const { client, socket } = await pair(io, url, { transport: 'polling' });
  const got = record(client);
  // Nothing answers in between: the first emit takes the open request, so the second finds none.
  socket.emit('takes the request');
  await until(() => !socket.conn.transport.writable || got.length === 1, 'request used');
  for (let n = 0; n < 3; n += 1) socket.volatile.emit('volatile', n);
  socket.emit('plain');
  await until(() => got.some(([name]) => name === 'plain'), 'plain');
  assert.equal(got.at(-1)[0], 'plain');
});

test('a server emit throws for reserved names', async (t) => {
  const { io, sockets } = await crowd(t, ['a']);
  for (const name of ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']) {
    assert.throws(() => sockets.a.emit(name), /is a reserved event name/);
    assert.throws(() => io.to('r').emit(name), /is a reserved event name/);
  }
});
