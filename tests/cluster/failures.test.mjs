// Networks that stall, cut and delay, nodes that die, and nodes that come under load.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { closeClients, connect } from '../support/clients.mjs';
import { startProxy } from '../support/proxy.mjs';
import { isNative, nativeOnly } from '../support/subject.mjs';
import { deferred, event, until, within } from '../support/wait.mjs';
import { atEnd } from './support/at-end.mjs';
import { startChild } from './support/child.mjs';
import { enter, member, reachable, startFleet, together } from './support/fleet.mjs';
import { startNode } from './support/node-kinds.mjs';
import { startRedis } from './support/redis.mjs';
import { disorder, follow, missing, stream } from './support/stream.mjs';

const BACK_MS = 15_000;

const up = ({ io }) => io.stats().cluster.up;

afterEach(() => closeClients());

// Two native nodes, the first behind a proxy, each with a client in "room".
async function behindProxy(t, mode = 'classic', cluster = { redisTimeout: 500 }) {
  const redis = await startRedis(t);
  const proxy = await startProxy(t, redis.port);
  const near = await startNode(t, { kind: 'native', mode, where: { url: `redis://127.0.0.1:${proxy.port}` }, cluster });
  const far = await startNode(t, { kind: 'native', mode, where: { url: redis.url }, cluster });
  await together([near, far]);
  const members = [await member(near), await member(far)];
  await enter(redis, members, 'room');
  return { redis, proxy, near, far, members };
}

describe('a network between a node and Redis', nativeOnly, () => {
  test('that cuts connections: the node is back by itself, and nothing comes twice', async (t) => {
    const { proxy, near, far, members } = await behindProxy(t);
    const [here, there] = members.map(({ client }) => follow(client));
    const streams = [stream(near.io, 'near', 'room'), stream(far.io, 'far', 'room')];
    atEnd(t, () => streams.forEach((one) => one.stop()));
    for (let round = 0; round < 5; round += 1) {
      await until(() => up(near), 'connected', BACK_MS);
      const [from, back] = streams.map(({ sent }) => sent + 1);
      await there.reached('near', from + 20, BACK_MS);
      await here.reached('far', back + 20, BACK_MS);
      assert.deepEqual(missing(there.of('near'), from, from + 20), []);
      assert.deepEqual(missing(here.of('far'), back, back + 20), []);
      const { reconnects } = near.io.stats().cluster;
      proxy.cut();
      await until(() => near.io.stats().cluster.reconnects > reconnects, 'a new connection', BACK_MS);
    }
    for (const got of [here, there]) for (const name of ['near', 'far']) assert.deepEqual(disorder(got.of(name)), []);
    assert.deepEqual(missing(there.of('far'), 1, there.last('far')), [], 'the other node lost nothing of its own');
    const [cutOff, steady] = [near, far].map(({ io }) => io.stats().cluster);
    assert.ok(cutOff.gaps >= 5 && cutOff.gapMs > 0, 'what it may have missed is in its figures');
    assert.deepEqual([steady.gaps, steady.gapMs], [0, 0]);
  });

  test('that stalls: the node notices, serves its own, and is back when it passes again', async (t) => {
    const { proxy, near, far, members } = await behindProxy(t);
    const [here, there] = members.map(({ client }) => follow(client));
    const streams = [stream(near.io, 'near', 'room'), stream(far.io, 'far', 'room')];
    atEnd(t, () => streams.forEach((one) => one.stop()));
    await there.reached('near', 10);
    const down = event(near.io.of('/').adapter, 'redis_down', BACK_MS);
    proxy.stall();
    assert.equal(typeof (await down)[0], 'string');
    await here.reached('near', streams[0].sent + 20);
    const found = await near.io.timeout(300).fetchSockets();
    assert.deepEqual(found.map(({ id }) => id), [members[0].socket.id]);
    assert.ok(found.missing >= 1);
    proxy.stall(false);
    await until(() => up(near), 'connected again', BACK_MS);
    const [from, back] = streams.map(({ sent }) => sent + 1);
    await there.reached('near', from + 20, BACK_MS);
    await here.reached('far', back + 20, BACK_MS);
    assert.deepEqual(missing(there.of('near'), from, from + 20), []);
    assert.deepEqual(missing(here.of('far'), back, back + 20), []);
    for (const got of [here, there]) for (const name of ['near', 'far']) assert.deepEqual(disorder(got.of(name)), []);
  });

  test('that is slow: everything arrives, in order, later', async (t) => {
    const { proxy, near, members } = await behindProxy(t, 'dynamic', {});
    const [, there] = members.map(({ client }) => follow(client));
    proxy.delay(150);
    const one = stream(near.io, 'near', 'room');
    await until(() => one.sent >= 300, 'some traffic');
    const sent = one.stop();
    await there.reached('near', sent);
    assert.deepEqual(there.of('near'), Array.from({ length: sent }, (_, n) => n + 1));
    const answer = await near.io.fetchSockets();
    assert.equal(answer.length, 2);
    assert.equal(answer.missing, 0);
  });

  test('that is not there yet: the server starts, serves its own, and joins when Redis comes', async (t) => {
    const redis = await startRedis(t);
    await redis.kill();
    const where = { url: redis.url };
    const nodes = [
      await startNode(t, { kind: 'native', mode: 'classic', where }),
      await startNode(t, { kind: 'native', mode: 'classic', where }),
    ];
    const alone = await member(nodes[0]);
    const heard = event(alone.client, 'alone');
    nodes[0].io.emit('alone');
    await heard;
    await assert.rejects(nodes[0].io.of('/').adapter.serverCount(), { code: 'ERR_KRAKEN_WS_REDIS' });
    await assert.rejects(
      async () => startNode(t, { kind: 'native', mode: 'classic', where, cluster: { waitForRedis: true, redisTimeout: 300 } }),
      { code: 'ERR_KRAKEN_WS_REDIS' },
    );
    await redis.start();
    await until(() => nodes.every(up), 'connected', BACK_MS);
    await together(nodes);
    const other = await member(nodes[1]);
    const both = [event(alone.client, 'both'), event(other.client, 'both')];
    nodes[0].io.emit('both');
    await Promise.all(both);
    assert.deepEqual(nodes.map(({ io }) => io.stats().cluster.gaps), [0, 0], 'who was not there yet has missed nothing');
  });
});

for (const kind of isNative ? ['native', 'redis5'] : ['redis5']) {
  test(`a ${kind} node that is killed in the middle of its messages leaves the others whole, and is not waited for`, async (t) => {
    const redis = await startRedis(t);
    const soon = { cluster: { requestsTimeout: 1000 }, adapter: { requestsTimeout: 1000 } };
    const nodes = await startFleet(t, { redis, kinds: isNative ? ['native', 'native'] : ['redis5', 'redis5'], mode: 'classic', ...soon });
    const members = [await member(nodes[0]), await member(nodes[1])];
    await enter(redis, members, 'room');
    const child = await startChild(t, { kind, mode: 'classic', where: { url: redis.url } });
    await together(nodes, 3);
    const foreign = await connect(child.url);
    assert.equal((await nodes[0].io.fetchSockets()).length, 3);
    const followed = members.map(({ client }) => follow(client));
    child.stream();
    for (const got of followed) await got.reached('child', 200);
    const gone = event(foreign, 'disconnect');
    await child.kill();
    await gone;
    // Redis has noticed, or will while somebody waits: not for the whole of requestsTimeout.
    const began = Date.now();
    const found = await nodes[0].io.fetchSockets();
    assert.equal(found.length, 2);
    assert.ok(Date.now() - began < 800, `fetchSockets took ${Date.now() - began} ms`);
    await together(nodes, 2);
    assert.deepEqual(await within(nodes[0].io.serverSideEmitWithAck('nobody listens').catch((err) => err.responses), 'answers'), []);
    const heard = event(members[1].client, 'after');
    nodes[0].io.to('room').emit('after');
    await heard;
    for (const got of followed) {
      const numbers = got.of('child');
      assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, n) => n + 1));
    }
  });
}

describe('while messages flow', () => {
  for (const mode of ['classic', 'dynamic']) {
    test(`a node that joins gets all from then on, ${mode}`, async (t) => {
      const redis = await startRedis(t);
      const kinds = isNative ? ['native', 'native'] : ['redis5', 'redis4'];
      const nodes = await startFleet(t, { redis, kinds, mode });
      const sender = stream(nodes[0].io, 'first', 'room', { pace: 5 });
      atEnd(t, () => sender.stop());
      for (const kind of isNative ? ['native', 'ioredis5'] : ['ioredis5']) {
        const late = await startNode(t, { kind, mode, where: { url: redis.url } });
        nodes.push(late);
        await together(nodes);
        const fresh = await member(late);
        const got = follow(fresh.client);
        await enter(redis, [fresh], 'room');
        await reachable(redis, late, 'room');
        await got.reached('first', sender.sent + 500);
        const numbers = got.of('first');
        assert.deepEqual(missing(numbers, numbers[0], numbers.at(-1)), []);
        assert.deepEqual(disorder(numbers), []);
      }
    });
  }

  test('nodes that do not answer in time are named, and what came is there', nativeOnly, async (t) => {
    const redis = await startRedis(t);
    const nodes = await startFleet(t, { redis, kinds: ['native', 'native', 'native'], mode: 'classic', cluster: { requestsTimeout: 400 } });
    nodes[1].io.on('ask', (ack) => ack('one'));
    nodes[2].io.on('ask', () => {});
    const done = deferred();
    nodes[0].io.serverSideEmit('ask', (err, answers) => done.resolve({ err, answers }));
    const { err, answers } = await within(done.promise, 'answers');
    assert.deepEqual(answers, ['one']);
    assert.equal(err.message, 'timeout reached: only 1 responses received out of 2');
    assert.equal(err.missing, 1);
    assert.ok(Array.isArray(err.missingNodes));
    await assert.rejects(nodes[0].io.serverSideEmitWithAck('ask'), (error) => {
      assert.deepEqual(error.responses, ['one']);
      return error.missing === 1;
    });
  });
});
