// Processes without clients that publish to a fleet: @socket.io/redis-emitter to native nodes, and our own to both.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { Emitter as TheirEmitter } from '@socket.io/redis-emitter';
import { closeClients } from '../support/clients.mjs';
import { isNative, nativePath } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';
import { atEnd } from './support/at-end.mjs';
import { enter, member, startFleet } from './support/fleet.mjs';
import { gather } from './support/gather.mjs';
import { MODES, openClient } from './support/node-kinds.mjs';
import { startRedis } from './support/redis.mjs';

const require = createRequire(import.meta.url);
const { Emitter } = require(`${nativePath}/redis.js`);

const BYTES = Buffer.from([0, 1, 254, 255]);

// By name: how it is made, and whether it reaches a fleet of that mode.
const EMITTERS = {
  '@socket.io/redis-emitter over redis4': theirs('redis4'),
  '@socket.io/redis-emitter over ioredis': theirs('ioredis'),
  ...(isNative && {
    'our Emitter': {
      modes: Object.keys(MODES),
      make: (t, { url }, mode) => ended(t, new Emitter({ redis: url, ...MODES[mode] })),
    },
    'our Emitter over a client': {
      modes: ['classic'],
      make: async (t, where) => {
        const { client, end } = await openClient('redis5', where);
        atEnd(t, end);
        return ended(t, new Emitter(client, { key: 'socket.io' }));
      },
    },
  }),
};

function theirs(library) {
  const make = async (t, where) => {
    const { client, end } = await openClient(library, where);
    atEnd(t, end);
    return new TheirEmitter(client);
  };
  return { modes: ['classic'], make };
}

function ended(t, emitter) {
  atEnd(t, () => emitter.close());
  return emitter;
}

for (const [name, { modes, make }] of Object.entries(EMITTERS)) {
  for (const mode of modes) {
    for (const kind of isNative ? ['native', 'redis5'] : ['redis5']) {
      describe(`${name} to a ${kind} node, ${mode}`, () => {
        const stack = [];
        let redis;
        let node;
        let emitter;
        let members;
        let clients;
        before(async () => {
          const t = { after: (fn) => stack.push(fn) };
          redis = await startRedis(t);
          [node] = await startFleet(t, { redis, kinds: [kind], mode });
          emitter = await make(t, { url: redis.url }, mode);
          members = [await member(node), await member(node), await member(node)];
          clients = members.map(({ client }) => client);
          await enter(redis, [members[0], members[1]], 'room');
          await enter(redis, [members[1]], 'other');
        });
        after(async () => {
          closeClients();
          for (const fn of stack.reverse()) await fn();
        });

        test('to all, to rooms, with exceptions, in order', async () => {
          const got = await gather(emitter, clients, () => {
            emitter.emit('all', 1, 'ž', { bytes: BYTES });
            emitter.to('room').emit('room', new Date(0));
            emitter.in(['room', 'other']).except('other').emit('some');
            emitter.except('room').emit('rest');
          });
          const all = ['all', 1, 'ž', { bytes: BYTES }];
          const room = ['room', '1970-01-01T00:00:00.000Z'];
          assert.deepEqual(got, [[all, room, ['some']], [all, room], [all, ['rest']]]);
          const quiet = event(clients[0], 'volatile');
          emitter.to('room').compress(false).volatile.emit('volatile');
          await quiet;
        });

        test('other namespaces', async () => {
          const inside = await member(node, { nsp: '/inside' });
          await until(async () => (await node.io.of('/inside').adapter.serverCount()) === 1, 'subscribed');
          const heard = event(inside.client, 'hello');
          emitter.of('/inside').emit('hello', 2);
          assert.deepEqual(await heard, [2]);
        });

        test('joins, leaves and ends sockets', async () => {
          const [, , { socket, client }] = members;
          emitter.in(socket.id).socketsJoin(['new', 'newer']);
          await until(() => socket.rooms.has('newer'), 'joined');
          emitter.in('new').socketsLeave('newer');
          await until(() => !socket.rooms.has('newer'), 'left');
          const gone = event(client, 'disconnect');
          emitter.in('new').disconnectSockets(true);
          await gone;
        });

        test('serverSideEmit reaches the node, without acknowledgement', async () => {
          const heard = event(node.io, 'news');
          emitter.serverSideEmit('news', 1, { deep: ['ž'] });
          assert.deepEqual(await heard, [1, { deep: ['ž'] }]);
          assert.throws(() => emitter.serverSideEmit('news', () => {}), /Acknowledgements are not supported/);
        });
      });
    }
  }
}

describe('our Emitter', { skip: isNative ? false : 'only kraken-ws-native has it' }, () => {
  test('close resolves when all is out, and a process can end right after it', async (t) => {
    const redis = await startRedis(t);
    const [node] = await startFleet(t, { redis, kinds: ['native'], mode: 'classic' });
    const { client } = await member(node);
    const got = [];
    client.on('n', (n) => got.push(n));
    const emitter = new Emitter({ redis: redis.url });
    for (let n = 0; n < 2000; n += 1) emitter.emit('n', n);
    await emitter.close();
    await until(() => got.length === 2000, 'all of it');
    assert.deepEqual(got, Array.from({ length: 2000 }, (_, n) => n));
    closeClients();
  });

  test('without Redis it says so', async () => {
    const emitter = new Emitter({ redis: 'redis://127.0.0.1:1', redisTimeout: 200 });
    emitter.emit('nobody');
    await assert.rejects(emitter.flush(200), { code: 'ERR_KRAKEN_WS_REDIS' });
    await assert.rejects(emitter.close(200), { code: 'ERR_KRAKEN_WS_REDIS' });
    assert.throws(() => new Emitter({ redis: 'http://h' }), { code: 'ERR_KRAKEN_WS_OPTION', message: /^cluster\.redis: / });
    assert.throws(
      () => new Emitter({ redis: 'redis://127.0.0.1:1', redisTimeout: 200, waitForRedis: true }),
      { code: 'ERR_KRAKEN_WS_REDIS' },
    );
    assert.throws(() => new Emitter({ redis: 'redis://127.0.0.1:1' }).emit('connect'), { code: 'ERR_KRAKEN_WS_NAME' });
  });
});
