// Redis is killed and started again, many times, under traffic.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nativeOnly } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';
import { atEnd } from './support/at-end.mjs';
import { enter, member, startFleet, together } from './support/fleet.mjs';
import { startRedis } from './support/redis.mjs';
import { disorder, follow, missing, stream } from './support/stream.mjs';

const ROUNDS = 20;
// A second of traffic: connections that stand for less count as failed attempts, and the next one waits longer.
const PER_ROUND = 550;
const BACK_MS = 15_000;

const up = ({ io }) => io.stats().cluster.up;

// Messages that were sent while both nodes were connected arrived once and in order; nothing ever came twice.
async function survive(t, mode) {
  const redis = await startRedis(t);
  const nodes = await startFleet(t, { redis, kinds: ['native', 'native'], mode, cluster: { redisTimeout: 1000 } });
  const members = [await member(nodes[0]), await member(nodes[1])];
  await enter(redis, members, 'room');
  const followed = members.map(({ client }) => follow(client));
  const streams = nodes.map(({ io }, n) => stream(io, `node ${n}`, 'room'));
  atEnd(t, () => streams.forEach((one) => one.stop()));
  const changes = nodes.map(({ io }) => {
    const seen = [];
    for (const ev of ['redis_down', 'redis_up']) io.of('/').adapter.on(ev, () => seen.push(ev));
    return seen;
  });
  const kept = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await until(() => nodes.every(up), `round ${round}: both connected`, BACK_MS);
    const from = streams.map(({ sent }) => sent + 1);
    const to = from.map((n) => n + PER_ROUND);
    for (const [receiver, got] of followed.entries()) {
      for (const [sender, { name }] of streams.entries()) {
        await got.reached(name, to[sender], BACK_MS);
        kept.push([receiver, name, from[sender], to[sender]]);
      }
    }
    await redis.kill();
    // Own clients are served meanwhile.
    const own = streams.map(({ sent }) => sent + 5);
    await until(() => nodes.every((node) => !up(node)), `round ${round}: both know`, BACK_MS);
    for (const [n, got] of followed.entries()) await got.reached(`node ${n}`, own[n]);
    await redis.start();
  }
  await until(() => nodes.every(up), 'connected at last', BACK_MS);
  await together(nodes);
  for (const one of streams) one.stop();
  for (const [receiver, name, from, to] of kept) {
    assert.deepEqual(missing(followed[receiver].of(name), from, to), [], `${name} to client ${receiver}`);
  }
  for (const got of followed) for (const { name } of streams) assert.deepEqual(disorder(got.of(name)), []);
  for (const [n, seen] of changes.entries()) {
    assert.deepEqual(seen, Array.from({ length: ROUNDS }, () => ['redis_down', 'redis_up']).flat(), `events of node ${n}`);
    // What clients of the other node did not get is counted.
    const { lost, unconfirmed } = nodes[n].io.stats().cluster;
    const gone = missing(followed[1 - n].of(`node ${n}`), 1, followed[1 - n].last(`node ${n}`)).length;
    t.diagnostic(`${mode}: node ${n} sent ${streams[n].sent}, ${gone} lost, counted ${lost} and ${unconfirmed} unconfirmed`);
  }
  // Everything is subscribed again, rooms of their own included.
  const heard = event(members[1].client, 'after');
  nodes[0].io.to('room').emit('after');
  await heard;
  assert.equal((await nodes[0].io.fetchSockets()).length, 2);
  // Not those of the test that runs beside this one.
  for (const { client } of members) client.disconnect();
}

describe('Redis restarted under traffic', { ...nativeOnly, concurrency: 2 }, () => {
  for (const mode of ['classic', 'dynamic']) {
    test(`${ROUNDS} times, ${mode}`, { timeout: 120_000 }, (t) => survive(t, mode));
  }
});
