// C hosts as nodes of a fleet, over a real Redis, with socket.io and its Redis adapter as the other node.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atEnd } from '../cluster/support/at-end.mjs';
import { reachable } from '../cluster/support/fleet.mjs';
import { MODES, startNode } from '../cluster/support/node-kinds.mjs';
import { startRedis } from '../cluster/support/redis.mjs';
import { connect } from '../support/clients.mjs';
import { event, record, until } from '../support/wait.mjs';
import { LIMIT_MS, PROGRAMS, host } from './support/program.mjs';

const ask = (client, ...args) => client.timeout(LIMIT_MS).emitWithAck(...args);
const BROADCAST_ACK = 4;
const SERVER_SIDE_ACK = 13;

// A C node, and a JavaScript one that it knows of, with a client each, both in `room`.
async function fleet(t, how, mode) {
  const redis = await startRedis(t);
  const cluster = { redis: redis.url, waitForRedis: true, requestsTimeout: 1000, ...MODES[mode] };
  // What needs Redis ends before it; what then was wrong is said when all has ended.
  let wrong;
  const before = { after: (fn) => atEnd(t, () => fn().catch((error) => { wrong = error; })) };
  t.after(() => {
    if (wrong) throw wrong;
  });
  // One kind of host is a node from the start, the other becomes one.
  const args = how === 'poll' ? ['{}', JSON.stringify(cluster)] : [JSON.stringify({ cluster })];
  const c = await host(before, 'fleet_host', [how, ...args], { stop: 'stdin' });
  const js = await startNode(t, { kind: 'redis5', mode, where: { url: redis.url } });
  const arrived = event(js.io, 'connection');
  const [ofC, ofJs] = await Promise.all([connect(c.url, { auth: { name: 'ß' } }), connect(js.url)]);
  const [socket] = await arrived;
  await until(async () => (await ask(ofC, 'count')) === 2, 'the C node knows the other', LIMIT_MS);
  await until(async () => (await js.io.of('/').adapter.serverCount()) === 2, 'the other knows the C node', LIMIT_MS);
  await Promise.all([ask(ofC, 'join', 'room'), socket.join('room')]);
  await reachable(redis, { mode }, 'room', { listeners: 2 });
  return { redis, cluster, js, ofC, ofJs, socket };
}

const note = (...clients) => Promise.all(clients.map((client) => event(client, 'note', LIMIT_MS)));

for (const [how, mode] of [['callbacks', 'classic'], ['poll', 'dynamic']]) {
  describe(`a C host with ${how} in a fleet, ${mode}`, () => {
    test('sends to rooms of all nodes, gets what they send, and keeps what is local', async (t) => {
      const { js, ofC, ofJs } = await fleet(t, how, mode);
      const payload = { text: 'ß', bytes: Buffer.from([0, 1, 255]) };
      const both = note(ofC, ofJs);
      ofC.emit('publish', 'room', payload);
      assert.deepEqual(await both, [[payload], [payload]]);
      const back = note(ofC, ofJs);
      js.io.to('room').emit('note', payload);
      assert.deepEqual(await back, [[payload], [payload]]);
      const heard = record(ofJs);
      const here = note(ofC);
      await ask(ofC, 'local', 'room', 'here');
      assert.deepEqual(await here, [['here']]);
      const last = note(ofC, ofJs);
      ofC.emit('publish', 'room', 'last');
      await last;
      assert.deepEqual(heard, [['note', 'last']], 'and not what was local');
      const stats = await ask(ofC, 'stats');
      assert.deepEqual([stats.up, stats.nodes, stats.malformed], [1, 2, 0]);
      assert.ok(stats.published > 0 && stats.received > 0);
    });

    test('asks the clients of all nodes', async (t) => {
      const { ofC, ofJs } = await fleet(t, how, mode);
      ofC.on('question', (_value, ack) => ack('c'));
      ofJs.on('question', (_value, ack) => ack(Buffer.from('js')));
      const answered = event(ofC, 'answered', LIMIT_MS);
      ofC.emit('askAll', 'room', { n: 1 });
      const [{ answers, ...rest }] = await answered;
      assert.deepEqual(rest, { kind: BROADCAST_ACK, expected: 2, missing: 0, timedOut: false, attachments: 1 });
      assert.equal(answers.length, 2);
      assert.ok(answers.includes('c'));
    });

    test('finds and moves sockets and rooms of all nodes, and is found', async (t) => {
      const { js, ofC, ofJs, socket } = await fleet(t, how, mode);
      socket.data.user = 7;
      await ask(ofC, 'data', { user: 'c' });
      const { sockets, missing } = await ask(ofC, 'fetch', '');
      assert.equal(missing, 0);
      const here = sockets.find(({ id }) => id === ofC.id);
      const there = sockets.find(({ id }) => id === ofJs.id);
      assert.deepEqual({ ...here, rooms: here.rooms.sort() }, {
        id: ofC.id, address: '127.0.0.1', auth: { name: 'ß' }, data: { user: 'c' }, here: true, rooms: [ofC.id, 'room'].sort(),
      });
      assert.deepEqual({ ...there, address: there.address.replace('::ffff:', ''), rooms: there.rooms.sort() }, {
        id: ofJs.id, address: '127.0.0.1', auth: {}, data: { user: 7 }, here: false, rooms: [ofJs.id, 'room'].sort(),
      });
      const found = await js.io.in('room').fetchSockets();
      assert.deepEqual(found.map(({ id }) => id).sort(), [ofC.id, ofJs.id].sort());
      assert.deepEqual(found.find(({ id }) => id === ofC.id).data, { user: 'c' });
      const all = await ask(ofC, 'rooms');
      // The sharded adapter of JavaScript has no answer to that question.
      assert.equal(all.missing, mode === 'classic' ? 0 : 1);
      assert.deepEqual(all.rooms.sort(), [ofC.id, ...(mode === 'classic' ? [ofJs.id] : []), 'room'].sort());
      await ask(ofC, 'move', 'room', 'hall');
      await until(() => socket.rooms.has('hall') && !socket.rooms.has('room'), 'the socket elsewhere in the hall', LIMIT_MS);
      await until(async () => (await js.io.in('hall').fetchSockets()).length === 2, 'both in the hall', LIMIT_MS);
      const gone = event(ofJs, 'disconnect', LIMIT_MS);
      ofC.emit('kick', ofJs.id);
      await gone;
      const end = event(ofC, 'disconnect', LIMIT_MS);
      js.io.in('hall').disconnectSockets();
      await end;
    });

    test('talks to the hosts of other nodes, and answers them', async (t) => {
      const { js, ofC } = await fleet(t, how, mode);
      const said = event(js.io, 'hello', LIMIT_MS);
      ofC.emit('tellHosts', { text: 'ß' });
      assert.deepEqual(await said, [{ text: 'ß' }]);
      js.io.on('hello', (value, ack) => ack?.({ from: 'js', value }));
      const answered = event(ofC, 'answered', LIMIT_MS);
      ofC.emit('askHosts', 5);
      assert.deepEqual(await answered, [{
        kind: SERVER_SIDE_ACK, expected: 1, missing: 0, timedOut: false, answers: [{ from: 'js', value: 5 }], attachments: 0,
      }]);
      const heard = event(ofC, 'heard', LIMIT_MS);
      js.io.serverSideEmit('news', 'a', { b: 1 });
      assert.deepEqual(await heard, ['news', 'a', { b: 1 }]);
      assert.deepEqual(await js.io.serverSideEmitWithAck('news', 1), [{ from: 'C' }]);
    });

    test('says which answers are missing', async (t) => {
      const { js, ofC } = await fleet(t, how, mode);
      js.io.on('hello', () => {});
      const answered = event(ofC, 'answered', LIMIT_MS);
      ofC.emit('askHosts', 5);
      const [{ kind, expected, missing, timedOut, answers }] = await answered;
      assert.deepEqual([kind, expected, missing, timedOut, answers], [SERVER_SIDE_ACK, 1, 1, true, []]);
    });

    test('hears when Redis goes and comes, and serves its clients meanwhile', async (t) => {
      const { redis, js, ofC } = await fleet(t, how, mode);
      assert.equal(await ask(ofC, 'changes'), 'up');
      await js.close(); // its own Redis client would be in the middle of something
      await redis.kill();
      await until(async () => /^up,down/.test(await ask(ofC, 'changes')), 'down', LIMIT_MS);
      const here = note(ofC);
      await ask(ofC, 'local', 'room', 'still here');
      assert.deepEqual(await here, [['still here']]);
      await redis.start();
      await until(async () => /,up/.test(await ask(ofC, 'changes')), 'up again', LIMIT_MS);
      assert.equal((await ask(ofC, 'stats')).up, 1);
    });

    test('gets what a C program without clients sends', async (t) => {
      const { cluster, ofC, ofJs, socket } = await fleet(t, how, mode);
      await socket.join('leaving');
      const heard = [record(ofC), record(ofJs)];
      const [hosts, gone] = [event(ofC, 'heard', LIMIT_MS), event(ofJs, 'disconnect', LIMIT_MS)];
      await promisify(execFile)(join(PROGRAMS, 'fleet_emitter'), [JSON.stringify(cluster), 'room'], { timeout: LIMIT_MS });
      assert.deepEqual(await hosts, ['hello', 'from', 'an emitter']);
      await gone;
      for (const events of heard) {
        const emitted = events.filter(([name]) => name === 'emitted').map(([, payload]) => payload);
        // Where rooms have channels of their own, the second may come before somebody listens to the new room.
        const both = [{ text: 'ß' }, Buffer.from([0, 1, 2])];
        assert.deepEqual(emitted, mode === 'classic' ? both : both.slice(0, emitted.length));
        assert.ok(emitted.length > 0);
      }
    });
  });
}
