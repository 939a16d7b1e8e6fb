// Sockets that one node moves into rooms and out of them, and what is sent right behind that.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { closeClients } from '../support/clients.mjs';
import { event, record, until } from '../support/wait.mjs';
import { isNative, nativeOnly } from '../support/subject.mjs';
import { member, startFleet } from './support/fleet.mjs';
import { MODES } from './support/node-kinds.mjs';
import { startRedis } from './support/redis.mjs';

const ROUNDS = 40;

afterEach(() => closeClients());

for (const mode of isNative ? Object.keys(MODES) : []) {
  for (const kind of ['native', 'redis5']) {
    test(`${mode}: what a native node sends right behind socketsJoin to a socket on ${kind} arrives, behind socketsLeave not`, async (t) => {
      const redis = await startRedis(t);
      const [near, far] = await startFleet(t, { redis, kinds: ['native', kind], mode });
      const { client } = await member(far);
      const seen = record(client);
      const expected = [];
      for (let k = 0; k < ROUNDS; k++) {
        near.io.in(client.id).socketsJoin(`room-${k}`);
        near.io.to(`room-${k}`).emit('n', k);
        expected.push(k);
        near.io.in(client.id).socketsLeave(`room-${k}`);
        near.io.to(`room-${k}`).emit('n', 'too late');
      }
      near.io.emit('n', 'last');
      await until(() => seen.at(-1)?.[1] === 'last', 'the last event');
      assert.deepEqual(seen.map(([, n]) => n), [...expected, 'last']);
    });
  }

  describe(`${mode}: moves from both sides`, nativeOnly, () => {
    test('the last call in one tick decides, for the socket, its node and the others', async (t) => {
      const redis = await startRedis(t);
      const [near, far] = await startFleet(t, { redis, kinds: ['native', 'native'], mode });
      const { client, socket } = await member(far);
      const { id } = client;
      const seen = record(client);
      const calls = [
        (room) => [socket.join(room), near.io.in(id).socketsLeave(room), false],
        (room) => [near.io.in(id).socketsLeave(room), near.io.in(id).socketsJoin(room), true],
        (room) => [socket.join(room), near.io.in(id).socketsLeave(room), near.io.in(id).socketsJoin(room), true],
        (room) => [socket.join(room), socket.leave(room), near.io.in(id).socketsJoin(room), true],
      ];
      const inside = new Set();
      for (let k = 0; k < ROUNDS; k++) {
        const room = `room-${k}`;
        if (calls[k % calls.length](room).at(-1)) inside.add(room);
      }
      const heard = event(far.io, 'marker');
      near.io.serverSideEmit('marker');
      await heard;
      const rooms = (list) => [...list].filter((room) => room !== id).sort();
      const wanted = [...inside].sort();
      await until(async () => rooms((await near.io.fetchSockets())[0].rooms).length === wanted.length, 'the moves').catch(() => {});
      assert.deepEqual(rooms((await near.io.fetchSockets())[0].rooms), wanted, 'as the fleet sees it');
      await until(() => rooms(socket.rooms).length === wanted.length, 'the mirror').catch(() => {});
      assert.deepEqual(rooms(socket.rooms), wanted, 'as its node sees it');
      for (let k = 0; k < ROUNDS; k++) near.io.to([`room-${k}`, 'nobody']).emit(`room-${k}`);
      near.io.emit('last');
      await until(() => seen.at(-1)?.[0] === 'last', 'the last event');
      assert.deepEqual(seen.map(([room]) => room).filter((room) => room !== 'last').sort(), wanted, 'as messages go');
    });

    test('however joins and leaves of both nodes meet, the socket shows the rooms that it is in', async (t) => {
      const redis = await startRedis(t);
      const [near, far] = await startFleet(t, { redis, kinds: ['native', 'native'], mode });
      const { client, socket } = await member(far);
      const { id } = client;
      for (let k = 0; k < ROUNDS * 4; k++) {
        const room = `room-${k}`;
        if (k % 2) socket.join(room);
        await new Promise(setImmediate);
        if (k % 2) near.io.in(id).socketsLeave(room);
        else near.io.in(id).socketsJoin(room);
        // From before the other node's call has come until after it.
        for (let turn = 0; turn < k % 5; turn++) await new Promise(setImmediate);
        if (k % 2) {
          socket.leave(room);
          socket.join(room);
        } else {
          socket.join(room);
          socket.leave(room);
        }
      }
      const rooms = (list) => [...list].sort();
      const heard = event(far.io, 'marker');
      near.io.serverSideEmit('marker');
      await heard;
      let core;
      await until(async () => {
        core = rooms((await near.io.fetchSockets())[0].rooms);
        return JSON.stringify(core) === JSON.stringify(rooms(socket.rooms));
      }, 'the mirror').catch(() => {});
      assert.deepEqual(rooms(socket.rooms), core);
    });
  });
}

for (const mode of isNative ? ['classic', 'dynamic'] : []) {
  test(`${mode}: a room that JavaScript joined as a number is the native nodes' room of that name`, async (t) => {
    const redis = await startRedis(t);
    const [native, js] = await startFleet(t, { redis, kinds: ['native', 'redis5'], mode });
    const members = [await member(native), await member(js)];
    for (const { socket } of members) await socket.join([123, -4.5]);
    if (mode === 'dynamic') {
      for (const room of [123, -4.5]) {
        await until(async () => (await redis.listeners(`socket.io#/#${room}#`, 'SHARDNUMSUB')) === 2, `a channel for ${room}`);
      }
    }
    const seen = members.map(({ client }) => record(client));
    native.io.to(123).emit('native');
    native.io.to([-4.5, 'nobody']).emit('native, two rooms');
    native.io.except(123).emit('native, not for them');
    native.io.emit('end of native');
    js.io.to(123).emit('js');
    js.io.except(123).emit('js, not for them');
    js.io.emit('end of js');
    await until(() => seen.every((list) => list.length >= 5), 'the events');
    for (const list of seen) {
      assert.deepEqual(list.map(([name]) => name).sort(), ['end of js', 'end of native', 'js', 'native', 'native, two rooms']);
    }
    assert.equal((await native.io.in(123).fetchSockets()).length, 2);
    assert.equal((await js.io.in(123).fetchSockets()).length, 2);
    native.io.in(123).socketsJoin('by native');
    native.io.in(123).socketsJoin(77);
    js.io.in(123).socketsJoin('by js');
    await until(() => members.every(({ socket }) => socket.rooms.has('by native') && socket.rooms.has('by js')), 'the joins');
    assert.equal((await js.io.in(77).fetchSockets()).length, 2);
    native.io.in(123).socketsLeave(77);
    await until(async () => (await js.io.in(77).fetchSockets()).length === 0, 'the leave');
    assert.deepEqual((await native.io.in('by js').fetchSockets()).map(({ rooms }) => rooms.size), [5, 5]);
  });
}

for (const mode of isNative ? ['classic', 'static'] : []) {
  test(`${mode}: names of rooms that are not well-formed Unicode cost no message`, async (t) => {
    const redis = await startRedis(t);
    const [native, js] = await startFleet(t, { redis, kinds: ['native', 'redis5'], mode });
    const { socket, client } = await member(native);
    const other = await member(js);
    socket.join('half \ud800');
    await other.socket.join('half \ud800');
    js.io.in('half \ud800').socketsJoin('by js');
    native.io.in('half \ud800').socketsJoin('by native');
    for (const one of [socket, other.socket]) {
      await until(() => one.rooms.has('by js') && one.rooms.has('by native'), 'the joins');
    }
    assert.equal((await js.io.in('half \ud800').fetchSockets()).length, 2);
    const found = await native.io.in('half \ud800').fetchSockets();
    assert.deepEqual(found.map(({ rooms }) => rooms.has('half \ud800')), [true, true]);
    if (mode === 'classic') return;
    const got = event(client, 'n');
    js.io.to('half \ud800').emit('n', 'half \udc00 of a pair');
    assert.deepEqual(await got, ['half \udc00 of a pair']);
  });
}
