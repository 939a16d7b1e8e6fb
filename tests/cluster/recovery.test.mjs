// Clients that may come back, in a fleet: what other nodes send meanwhile is there when they do, whatever way it takes.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { closeClients } from '../support/clients.mjs';
import { event, record, until } from '../support/wait.mjs';
import { member, reachable, together } from './support/fleet.mjs';
import { MODES, startNode } from './support/node-kinds.mjs';
import { nativeOnly } from '../support/subject.mjs';
import { startRedis } from './support/redis.mjs';

afterEach(() => closeClients());

const RETRY = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 50, randomizationFactor: 0 };

// A native node whose client may come back, and another node that sends.
async function start(t, mode, kind) {
  const redis = await startRedis(t);
  const where = { url: redis.url };
  const home = await startNode(t, { kind: 'native', mode, where, options: { connectionStateRecovery: {} } });
  const sender = await startNode(t, { kind, mode, where });
  await together([home, sender]);
  return { redis, home, sender };
}

// The client is gone until `back` is called.
async function goAway({ client, socket, node }) {
  client.io.reconnection(false);
  const gone = event(socket, 'disconnect');
  client.io.engine.close();
  await gone;
  return async () => {
    const arrived = event(node.io, 'connection');
    client.io.reconnection(true);
    client.connect();
    return (await arrived)[0];
  };
}

for (const mode of Object.keys(MODES)) {
  for (const kind of ['native', 'redis5']) {
    describe(`${mode}, ${kind} sends`, nativeOnly, () => {
      test('what another node sends to a client that is away is there when it comes back, once and in order', async (t) => {
        const { redis, home, sender } = await start(t, mode, kind);
        const { client, socket, node } = await member(home, RETRY);
        const { id } = client;
        const seen = record(client);
        socket.join(['only', 'blocked']);
        socket.leave('blocked');
        await reachable(redis, home, 'only');
        sender.io.to('only').emit('n', 0);
        await until(() => seen.length === 1, 'the first event');
        const back = await goAway({ client, socket, node });
        assert.equal(await home.io.in('only').fetchSockets().then((found) => found.length), 0, 'who is away is no socket');
        sender.io.to('only').emit('n', 1);
        sender.io.to(id).emit('n', 2);
        sender.io.emit('n', 3);
        sender.io.to(['elsewhere', 'only']).emit('n', 4);
        sender.io.except('blocked').emit('n', 5);
        sender.io.except('only').emit('n', 'not for it');
        sender.io.to('elsewhere').emit('n', 'not for it');
        sender.io.to('later').emit('n', 'too early');
        sender.io.in(id).socketsJoin('later');
        await reachable(redis, home, 'later');
        sender.io.to('later').emit('n', 6);
        sender.io.in(id).socketsLeave('only');
        sender.io.to('only').emit('n', 'too late');
        sender.io.to(id).emit('n', 7);
        // By then all of it has come, on Redis' one connection.
        await until(() => home.io.stats().recoveryBytes > 0 && sender.io.of('/').adapter.serverCount(), 'an answer of Redis');
        const heard = event(home.io, 'marker');
        sender.io.serverSideEmit('marker');
        await heard;
        const again = await back();
        assert.equal(again.recovered, true);
        assert.deepEqual([...again.rooms].sort(), [id, 'later'].sort());
        await until(() => seen.length >= 8, 'what was missed');
        sender.io.to('later').emit('n', 8);
        await until(() => seen.some(([, n]) => n === 8), 'the live one');
        assert.deepEqual(seen.map(([, n]) => n), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
      });

      test('whom another node disconnects while away does not come back', async (t) => {
        const { redis, home, sender } = await start(t, mode, kind);
        const { client, socket, node } = await member(home, RETRY);
        socket.join('banned');
        await reachable(redis, home, 'banned');
        const back = await goAway({ client, socket, node });
        sender.io.in('banned').disconnectSockets(true);
        const heard = event(home.io, 'marker');
        sender.io.serverSideEmit('marker');
        await heard;
        assert.equal((await back()).recovered, false);
      });
    });
  }
}
