// Where Redis can be: Redis Cluster, behind sentinels, behind TLS, a password or an ACL, in either RESP.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import * as ioredis from 'ioredis';
import { closeClients } from '../support/clients.mjs';
import { freePort } from '../support/server.mjs';
import { isNative, nativeOnly, nativePath } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';
import { atEnd } from './support/at-end.mjs';
import { makeAuthority } from './support/authority.mjs';
import { essentials } from './support/essentials.mjs';
import { member, startFleet, together } from './support/fleet.mjs';
import { MODES, openClient, startNode } from './support/node-kinds.mjs';
import { startRedis, startRedisCluster } from './support/redis.mjs';

const require = createRequire(import.meta.url);
const { Server } = require(nativePath);
const BACK_MS = 20_000;
// An election without a winner is repeated after twice the failover time-out, and seconds of desynchronisation.
const ELECTED_MS = 60_000;

let serial = 0;
// Tests of one Redis stay apart.
function unique() {
  const prefix = `fleet-${(serial += 1)}`;
  return { cluster: { prefix }, adapter: { prefix } };
}

afterEach(() => closeClients());

describe('Redis Cluster of three masters', () => {
  const stack = [];
  let nodes;
  let where;
  // What looks like one Redis: listeners of all nodes together.
  let redis;
  before(async () => {
    nodes = await startRedisCluster({ after: (fn) => stack.push(fn) });
    where = { cluster: nodes.map(({ url }) => url) };
    const listeners = async (...what) => {
      const counts = await Promise.all(nodes.map((node) => node.listeners(...what)));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    redis = { listeners };
  });
  after(async () => {
    for (const fn of stack.reverse()) await fn();
  });

  for (const mode of Object.keys(MODES)) {
    // A cluster of `redis` 5 rejects, for nobody to catch, when its last subscription ends; one of 4 when a sharded one does.
    const other = mode === 'classic' ? 'redis4' : 'ioredis5';
    const pairs = isNative ? [['native', 'native'], ['native', other], ['ioredis', 'native']] : [[other, 'ioredis']];
    for (const kinds of pairs) {
      test(`${kinds.join(' and ')}, ${mode}`, async (t) => {
        const [a, b] = await startFleet(t, { kinds, mode, where, ...unique() });
        await essentials(redis, a, b);
      });
    }
  }
});

// A native node that gets its place from an adapter over clients.
function adapted(t, factory, prefix) {
  const io = new Server(0, { host: '127.0.0.1' });
  io.adapter(factory);
  atEnd(t, () => new Promise((resolve) => io.close(resolve)));
  return { io, kind: 'native', mode: 'classic', prefix, url: `http://127.0.0.1:${io.httpServer.address().port}` };
}

async function pairOf(t, library, where) {
  const pair = [await openClient(library, where), await openClient(library, where)];
  atEnd(t, () => Promise.all(pair.map(({ end }) => end())));
  return pair.map(({ client }) => client);
}

describe('clients of Redis Cluster, as an adapter', nativeOnly, () => {
  for (const library of ['redis4', 'redis5', 'redis6', 'ioredis', 'ioredis5']) {
    test(`${library}: the core finds the cluster`, async (t) => {
      const nodes = await startRedisCluster(t);
      const where = { cluster: nodes.map(({ url }) => url) };
      const clients = await pairOf(t, library, where);
      const peer = await startNode(t, { kind: 'native', mode: 'static', where });
      const node = adapted(t, createShardedAdapter(...clients, { subscriptionMode: 'static' }));
      await together([peer, node]);
      await essentials(nodes[0], { ...node, mode: 'static' }, peer);
    });
  }
});

describe('sentinels', () => {
  async function sentinels(t) {
    const master = await startRedis(t);
    const replica = await startRedis(t, { settings: { replicaof: `127.0.0.1 ${master.port}` } });
    await until(async () => (await replica.command('ROLE')).includes('connected'), 'a replica', BACK_MS);
    const watchers = [];
    for (let n = 0; n < 3; n += 1) {
      const port = await freePort();
      // Sentinels write their state into their configuration.
      const folder = mkdtempSync(join(tmpdir(), 'kraken-sentinel-'));
      atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, 'sentinel.conf');
      const lines = [
        `sentinel monitor mymaster 127.0.0.1 ${master.port} 2`,
        'sentinel down-after-milliseconds mymaster 500',
        'sentinel failover-timeout mymaster 3000',
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      watchers.push(await startRedis(t, { port, sentinel: file }));
    }
    const known = async ({ command }, one) => (await command.call(one, 'SENTINEL', 'MASTER', 'mymaster')).includes('num-other-sentinels\r\n$1\r\n2');
    for (const one of watchers) await until(() => known(one, one), 'sentinels that know each other', BACK_MS);
    return { master, replica, urls: watchers.map(({ url }) => url) };
  }

  test('the core follows a failover, and so do settings of an ioredis client', nativeOnly, async (t) => {
    const { master, replica, urls } = await sentinels(t);
    const redis = { sentinel: { sentinels: urls, master: 'mymaster' } };
    const cluster = { redis, prefix: 'guarded' };
    const place = { kind: 'native', mode: 'classic', where: { url: master.url }, cluster };
    const first = await startNode(t, place);
    const client = () =>
      new ioredis.Redis({ sentinels: urls.map((url) => ({ host: '127.0.0.1', port: Number(new URL(url).port) })), name: 'mymaster' });
    const clients = [client(), client()];
    for (const one of clients) one.on('error', () => {});
    atEnd(t, () => clients.forEach((one) => one.disconnect()));
    const second = adapted(t, createAdapter(...clients, { key: 'guarded' }), 'guarded');
    const nodes = [first, second];
    await together(nodes);
    const members = [await member(first), await member(second)];
    await master.kill();
    // Whoever is connected when it becomes the master is thrown out.
    const role = () => replica.command('ROLE').catch(() => '');
    await until(async () => (await role()).includes('master'), 'a new master', ELECTED_MS);
    for (const { io } of nodes) await until(() => io.stats().cluster.up, 'connected again', BACK_MS);
    await until(async () => (await first.io.of('/').adapter.serverCount().catch(() => 0)) === 2, 'together again', BACK_MS);
    for (const [n, { client: theirs }] of members.entries()) {
      const heard = event(theirs, `after-${n}`);
      nodes[1 - n].io.emit(`after-${n}`, 'here');
      assert.deepEqual(await heard, ['here']);
    }
  });
});

describe('a Redis that wants to know who comes', nativeOnly, () => {
  const acl = 'kraken on >s3cret ~* &* +@pubsub +ping +hello +client +auth +command +info +role';

  test('a password, in the URL or beside it', async (t) => {
    const redis = await startRedis(t, { settings: { requirepass: 'pass:w@rd' } });
    const inside = redis.url.replace('//', `//:${encodeURIComponent('pass:w@rd')}@`);
    const nodes = [
      await startNode(t, { kind: 'native', mode: 'classic', where: { url: inside } }),
      await startNode(t, { kind: 'native', mode: 'classic', where: { url: redis.url }, cluster: { password: 'pass:w@rd' } }),
      await startNode(t, { kind: 'redis5', mode: 'classic', where: { url: inside } }),
    ];
    const [pub, sub] = await pairOf(t, 'ioredis', { url: inside });
    nodes.push(adapted(t, createAdapter(pub, sub)));
    await together(nodes);
  });

  test('a user of the ACL who may only publish and subscribe', async (t) => {
    const redis = await startRedis(t, { settings: { user: acl } });
    const url = redis.url.replace('//', '//kraken:s3cret@');
    for (const mode of ['classic', 'dynamic']) {
      const nodes = await startFleet(t, { redis, kinds: ['native', 'native'], mode, where: { url }, ...unique() });
      await essentials(redis, ...nodes);
    }
    const [pub, sub] = await pairOf(t, 'redis4', { url });
    await together([adapted(t, createAdapter(pub, sub, { key: 'acl' })), await startNode(t, {
      kind: 'native', mode: 'classic', where: { url: redis.url }, cluster: { username: 'kraken', password: 's3cret', prefix: 'acl' },
    })]);
  });

  test('a wrong password is said, by an event and by waitForRedis', async (t) => {
    const redis = await startRedis(t, { settings: { requirepass: 'right' } });
    const wrong = { kind: 'native', mode: 'classic', where: { url: redis.url }, cluster: { password: 'wrong' } };
    const { io } = await startNode(t, wrong);
    const [reason] = await event(io.of('/').adapter, 'redis_down');
    assert.match(reason, /WRONGPASS|NOAUTH|invalid/i);
    const waits = { ...wrong, cluster: { password: 'wrong', waitForRedis: true, redisTimeout: 1000 } };
    await assert.rejects(startNode(t, waits), { code: 'ERR_KRAKEN_WS_REDIS' });
  });

  test('TLS, with its own authority, and clients that speak it', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kraken-tls-'));
    atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
    const { ca, cert, key } = makeAuthority(folder);
    const tlsPort = await freePort();
    await startRedis(t, {
      plain: false,
      settings: {
        'tls-port': tlsPort,
        'tls-cert-file': join(folder, 'cert.pem'),
        'tls-key-file': join(folder, 'key.pem'),
        'tls-ca-cert-file': join(folder, 'ca.pem'),
        'tls-auth-clients': 'optional',
      },
    });
    const url = `rediss://127.0.0.1:${tlsPort}`;
    const tls = { ca };
    const nodes = [
      await startNode(t, { kind: 'native', mode: 'classic', where: { url }, cluster: { tls } }),
      await startNode(t, { kind: 'native', mode: 'classic', where: { url }, cluster: { tls: { ca: Buffer.from(ca), key, cert } } }),
      adapted(t, createAdapter(...(await pairOf(t, 'ioredis', { url, options: { tls } })))),
      adapted(t, createAdapter(...(await pairOf(t, 'redis6', { url, options: { socket: { tls: true, ca } } })))),
      await startNode(t, { kind: 'redis4', mode: 'classic', where: { url, options: { socket: { tls: true, ca } } } }),
    ];
    await together(nodes);
    const untrusting = await startNode(t, { kind: 'native', mode: 'classic', where: { url } });
    const [reason] = await event(untrusting.io.of('/').adapter, 'redis_down');
    assert.match(reason, /certificate|issuer|trust/i);
  });

  test('RESP 2 and 3, and a Unix socket', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kraken-unix-'));
    atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'redis.sock');
    const redis = await startRedis(t, { settings: { unixsocket: path } });
    for (const mode of ['classic', 'dynamic']) {
      const { cluster } = unique();
      const given = { kind: 'native', mode, where: { url: redis.url } };
      const nodes = [
        await startNode(t, { ...given, cluster: { ...cluster, protocol: 2 } }),
        await startNode(t, { ...given, cluster: { ...cluster, protocol: 3 } }),
      ];
      await together(nodes);
      await essentials(redis, ...nodes);
      await together([...nodes, await startNode(t, { ...given, where: { url: `redis+unix://${path}` }, cluster })]);
    }
  });
});
