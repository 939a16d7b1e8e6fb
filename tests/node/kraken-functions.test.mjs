// setServer, sendToRoom, sendToAll, joinSocketsToRoom, removeSocketsFromRoom: booleans, never an exception,
// over our server, over mocks, over socket.io.
import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, mock, test } from 'node:test';
import { Server as SocketIoServer } from 'socket.io';
import { closeClients, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { nativeOnly, subjectModule } from '../support/subject.mjs';
import { event, record, until } from '../support/wait.mjs';

describe('the application\'s five functions', nativeOnly, () => {
  const { setServer, sendToRoom, sendToAll, joinSocketsToRoom, removeSocketsFromRoom } = subjectModule;
  let errors;
  before(() => assert.equal(typeof setServer, 'function'));
  beforeEach(() => {
    // A failed send is logged as an error; the log is silenced and counted.
    errors = mock.method(console, 'error', () => {});
    setServer(undefined);
  });
  afterEach(() => {
    setServer(undefined);
    mock.restoreAll();
  });

  test('without a server every call answers false, logs, and does not throw', () => {
    for (const none of [undefined, null]) {
      setServer(none);
      assert.equal(sendToRoom('room', 'event', {}), false);
      assert.equal(sendToAll('event', {}), false);
      assert.equal(joinSocketsToRoom('a', 'b'), false);
      assert.equal(removeSocketsFromRoom('a', 'b'), false);
    }
    assert.equal(errors.mock.callCount(), 8);
  });

  test('room, event and payload reach the members and nobody else', async (t) => {
    const { io, url } = await serve(t);
    setServer(io);
    const inside = await pair(io, url);
    const outside = await pair(io, url, { transport: 'polling' });
    inside.socket.join('channel:1');
    const seen = record(outside.client);
    const got = event(inside.client, 'newMessage');
    const sentAt = new Date(Date.UTC(2026, 0, 1));
    assert.equal(sendToRoom('channel:1', 'newMessage', { text: 'é😀', sentAt, gone: undefined }), true);
    assert.deepEqual(await got, [{ text: 'é😀', sentAt: '2026-01-01T00:00:00.000Z' }]);
    const all = [event(inside.client, 'userOnline'), event(outside.client, 'userOnline')];
    assert.equal(sendToAll('userOnline', { id: 7 }), true);
    for (const args of await Promise.all(all)) assert.deepEqual(args, [{ id: 7 }]);
    assert.deepEqual(seen.map(([name]) => name), ['userOnline']);
  });

  test('payloads of every kind arrive as io.emit would send them', async (t) => {
    const { io, url } = await serve(t);
    setServer(io);
    const { client, socket } = await pair(io, url);
    socket.join('r');
    const payloads = [null, undefined, 0, '', false, 'text', [1, [2]], { deep: { list: [null] } }, Buffer.from([1, 2, 3]),
      { bytes: Buffer.from([4]) }];
    for (const payload of payloads) {
      const byFunction = event(client, 'p');
      assert.equal(sendToRoom('r', 'p', payload), true);
      const one = await byFunction;
      const byEmit = event(client, 'p');
      io.to('r').emit('p', payload);
      assert.deepEqual(one, await byEmit);
    }
  });

  test('functions, emits and broadcasts mix in the order of the calls', async (t) => {
    const { io, url } = await serve(t);
    setServer(io);
    const { client, socket } = await pair(io, url);
    socket.join('r');
    const seen = record(client);
    const expected = [];
    for (let n = 0; n < 200; n += 1) {
      if (n % 4 === 0) sendToRoom('r', 'n', n);
      else if (n % 4 === 1) socket.emit('n', n);
      else if (n % 4 === 2) sendToAll('n', n);
      else io.to('r').emit('n', n);
      expected.push(['n', n]);
    }
    await until(() => seen.length === 200, 'all');
    assert.deepEqual(seen, expected);
  });

  test('joinSocketsToRoom and removeSocketsFromRoom act on the source room', async (t) => {
    const { io, url } = await serve(t);
    setServer(io);
    const { client, socket } = await pair(io, url);
    socket.join('user:1');
    assert.equal(joinSocketsToRoom('user:1', 'channel:1'), true);
    assert.equal(joinSocketsToRoom('user:1', ['channel:2', 'channel:3']), true);
    const got = event(client, 'x');
    sendToRoom('channel:3', 'x', 1);
    assert.deepEqual(await got, [1]);
    assert.equal(removeSocketsFromRoom('user:1', ['channel:1', 'channel:2']), true);
    await until(() => !socket.rooms.has('channel:2'), 'left');
    assert.deepEqual([...socket.rooms].sort(), [socket.id, 'channel:3', 'user:1'].sort());
    assert.equal(joinSocketsToRoom('nobody', 'x'), true);
  });

  test('a payload that cannot be sent answers false and the next one goes out', async (t) => {
    const { io, url } = await serve(t);
    setServer(io);
    const { client, socket } = await pair(io, url);
    socket.join('r');
    const circle = {};
    circle.self = circle;
    assert.equal(sendToRoom('r', 'x', circle), false);
    assert.equal(sendToAll('x', 10n), false);
    assert.equal(sendToAll('disconnect', 1), false);
    assert.equal(errors.mock.callCount(), 3);
    const got = event(client, 'x');
    assert.equal(sendToRoom('r', 'x', 'fine'), true);
    assert.deepEqual(await got, ['fine']);
  });

  test('a server that has only to().emit, emit, or in().socketsJoin is enough', () => {
    const calls = [];
    setServer({
      to: (room) => ({ emit: (...args) => calls.push(['to', room, ...args]) }),
      emit: (...args) => calls.push(['all', ...args]),
      in: (room) => ({
        socketsJoin: (rooms) => calls.push(['join', room, rooms]),
        socketsLeave: (rooms) => calls.push(['leave', room, rooms]),
      }),
    });
    const when = new Date();
    assert.equal(sendToRoom('r', 'e', { when }), true);
    assert.equal(sendToRoom('r', 'e', null), true);
    assert.equal(sendToRoom('r', 'e', undefined), true);
    assert.equal(sendToAll('e', 1), true);
    assert.equal(joinSocketsToRoom('a', ['b']), true);
    assert.equal(removeSocketsFromRoom('a', 'b'), true);
    assert.deepEqual(calls, [
      ['to', 'r', 'e', { when }], ['to', 'r', 'e', null], ['to', 'r', 'e', undefined], ['all', 'e', 1],
      ['join', 'a', ['b']], ['leave', 'a', 'b'],
    ]);
    assert.equal(calls[0][3].when, when);
  });

  test('a mock that lacks a method, or throws, gives false', () => {
    setServer({ emit: () => { throw new Error('broken'); } });
    assert.equal(sendToAll('e', 1), false);
    assert.equal(sendToRoom('r', 'e', 1), false);
    assert.equal(joinSocketsToRoom('a', 'b'), false);
    setServer({ to: () => ({ emit: () => { throw new Error('broken'); } }) });
    assert.equal(sendToRoom('r', 'e', 1), false);
    assert.equal(errors.mock.callCount(), 4);
  });

  test('the server may change at run time', async (t) => {
    const one = await serve(t);
    const two = await serve(t);
    const first = await pair(one.io, one.url);
    const second = await pair(two.io, two.url);
    const seenFirst = record(first.client);
    setServer(one.io);
    const got = event(first.client, 'x');
    sendToAll('x', 1);
    await got;
    setServer(two.io);
    const later = event(second.client, 'x');
    sendToAll('x', 2);
    assert.deepEqual(await later, [2]);
    assert.deepEqual(seenFirst, [['x', 1]]);
    const calls = [];
    setServer({ emit: (...args) => calls.push(args) });
    assert.equal(sendToAll('x', 3), true);
    assert.deepEqual(calls, [['x', 3]]);
  });

  test('a closed server answers false and logs, and one that listens again is served', async (t) => {
    const { io, close } = await serve(t);
    setServer(io);
    await close();
    const logged = t.mock.method(console, 'error', () => {});
    assert.equal(sendToRoom('r', 'x', 1), false);
    assert.equal(sendToAll('x', 1), false);
    assert.equal(joinSocketsToRoom('a', 'b'), false);
    setServer(io.of('/'));
    assert.equal(removeSocketsFromRoom('a', 'b'), false);
    assert.equal(logged.mock.callCount(), 4);
    assert.match(String(logged.mock.calls[0].arguments[0]), /sendToRoom failed: the server is closed/);
    io.listen(0);
    assert.equal(sendToAll('x', 1), true);
  });

  test('a server of the socket.io package works too', async (t) => {
    const io = new SocketIoServer(0);
    t.after(() => {
      closeClients();
      return new Promise((resolve) => io.close(resolve));
    });
    const { client, socket } = await pair(io, `http://127.0.0.1:${io.httpServer.address().port}`);
    setServer(io);
    socket.join('r');
    const got = event(client, 'x');
    assert.equal(sendToRoom('r', 'x', { when: new Date(0) }), true);
    assert.deepEqual(await got, [{ when: '1970-01-01T00:00:00.000Z' }]);
    assert.equal(joinSocketsToRoom('r', 's'), true);
    assert.ok(socket.rooms.has('s'));
  });

  test('any string is a room: ids and prefixed names', async (t) => {
    const { io, url } = await serve(t);
    setServer(io);
    const { client, socket } = await pair(io, url);
    const rooms = ['user:1', 'community:2', 'dm:3', 'clx0plainid', 'channel:é', 'presence:1', 'voice:9'];
    socket.join(rooms);
    for (const room of rooms) {
      const got = event(client, 'x');
      assert.equal(sendToRoom(room, 'x', room), true);
      assert.deepEqual(await got, [room]);
    }
  });
});
