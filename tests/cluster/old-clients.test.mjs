// Engine.IO 3 clients in a fleet: the ids of their sockets are theirs, and no server's mark is in them.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { closeClients, openV2 } from '../support/clients.mjs';
import { isNative } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';
import { startFleet } from './support/fleet.mjs';
import { MODES } from './support/node-kinds.mjs';
import { startRedis } from './support/redis.mjs';

const NAMESPACES = ['/', '/chat'];

describe('clients of Engine.IO 3 are reached by their ids from another node', () => {
  const stack = [];
  let redis;
  before(async () => {
    redis = await startRedis({ after: (fn) => stack.push(fn) });
  });
  after(async () => {
    for (const fn of stack.reverse()) await fn();
  });
  afterEach(() => closeClients());

  for (const mode of Object.keys(MODES)) {
    const pairs = isNative ? [['native', 'native'], ['redis4', 'native']] : [['redis4', 'ioredis']];
    for (const kinds of pairs) {
      test(`${kinds.join(' to ')}, ${mode}`, async (t) => {
        const prefix = `old ${kinds} ${mode}`;
        const named = { options: { allowEIO3: true }, cluster: { prefix }, adapter: { prefix } };
        const [a, b] = await startFleet(t, { redis, kinds, mode, ...named });
        for (const name of NAMESPACES) {
          a.io.of(name);
          const arrived = event(b.io.of(name), 'connection');
          const client = openV2(b.url + name);
          const [socket] = await arrived;
          await until(() => client.connected, 'connected');
          assert.equal(socket.id, client.id);
          const ids = async () => (await a.io.of(name).in(client.id).fetchSockets()).map(({ id }) => id);
          await until(async () => (await ids()).length === 1, `${name}: the room is known`);
          assert.deepEqual(await ids(), [client.id]);
          // With a channel per room it takes a moment until others are heard there.
          let told = 0;
          client.on('n', () => (told += 1));
          await until(() => {
            a.io.of(name).to(client.id).emit('n');
            return told > 0;
          }, `${name}: told`);
        }
      });
    }
  }
});
