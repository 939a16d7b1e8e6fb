// `io.adapter(…)` with factories over Redis: those of @socket.io/redis-adapter with clients of each library, and our own.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { closeClients } from '../support/clients.mjs';
import { nativePath, nativeOnly } from '../support/subject.mjs';
import { event } from '../support/wait.mjs';
import { atEnd } from './support/at-end.mjs';
import { member, together } from './support/fleet.mjs';
import { LIBRARY_NAMES, openClient, startNode } from './support/node-kinds.mjs';
import { startRedis } from './support/redis.mjs';

const require = createRequire(import.meta.url);
const { Server } = require(nativePath);
const own = require(`${nativePath}/redis.js`);

const CODE = { code: 'ERR_KRAKEN_WS_UNSUPPORTED' };

function serve(t, options = {}) {
  const io = new Server(0, { host: '127.0.0.1', ...options });
  atEnd(t, () => io.close());
  return { io, kind: 'native', mode: 'classic', url: `http://127.0.0.1:${io.httpServer.address().port}` };
}

async function clients(t, library, where) {
  const pair = [await openClient(library, where), await openClient(library, where)];
  atEnd(t, () => Promise.all(pair.map(({ end }) => end())));
  return pair.map(({ client }) => client);
}

// A message each way between two nodes.
async function talks(a, b) {
  await together([a, b]);
  const [one, two] = [await member(a), await member(b)];
  for (const [from, to] of [[a, two], [b, one]]) {
    const heard = event(to.client, 'hello');
    from.io.to(to.socket.id).emit('hello', from.kind);
    assert.deepEqual(await heard, [from.kind]);
  }
  closeClients();
}

describe('adapters over Redis', nativeOnly, () => {
  let redis;
  const stack = [];
  before(async () => {
    redis = await startRedis({ after: (fn) => stack.push(fn) });
  });
  after(async () => {
    for (const fn of stack.reverse()) await fn();
  });

  for (const library of LIBRARY_NAMES) {
    for (const [name, { theirs, ours, mode, options }] of Object.entries({
      createAdapter: { theirs: createAdapter, ours: own.createAdapter, mode: 'classic', options: { key: `own ${library}` } },
      createShardedAdapter: {
        theirs: createShardedAdapter,
        ours: own.createShardedAdapter,
        mode: 'dynamic',
        options: { channelPrefix: `own ${library}` },
      },
    })) {
      test(`${name} of @socket.io/redis-adapter and ours, over ${library}, join a fleet with the settings of the clients`, async (t) => {
        const [pub, sub] = await clients(t, library, { url: redis.url });
        const prefix = `own ${library}`;
        const peer = await startNode(t, { kind: library, mode, where: { url: redis.url }, adapter: { prefix } });
        for (const make of [theirs, ours]) {
          const node = serve(t);
          node.io.adapter(make(pub, sub, options));
          await talks(node, peer);
          await new Promise((resolve) => node.io.close(resolve));
          await together([peer]);
        }
        // The application's own clients are left alone.
        assert.doesNotMatch(await redis.command('PUBSUB', mode === 'classic' ? 'CHANNELS' : 'SHARDCHANNELS'), /kraken-ws-native/);
      });
    }
  }

  test('as an option, before listening and after, and once more with the same settings', async (t) => {
    const factory = own.createAdapter({ redis: redis.url, prefix: 'early' });
    const nodes = [serve(t, { adapter: factory }), serve(t), serve(t, { cluster: { redis: redis.url, prefix: 'early' } })];
    nodes[1].io.adapter(factory).adapter(own.createAdapter({ redis: redis.url, prefix: 'early' }));
    const late = new Server({ cluster: { redis: redis.url, prefix: 'early' } });
    late.listen(0);
    atEnd(t, () => late.close());
    await together([...nodes, { io: late, kind: 'native' }]);
    await talks(nodes[0], nodes[1]).catch((err) => assert.match(err.message, /a fleet of 2/));
    assert.throws(() => nodes[0].io.adapter(own.createAdapter({ redis: redis.url })), { code: 'ERR_KRAKEN_WS_STATE' });
  });

  test("an adapter of the application's, derived from Nest's, joins the fleet", async (t) => {
    const { KrakenIoAdapter } = require(`${nativePath}/nest.js`);
    const [pub, sub] = await clients(t, 'redis5', { url: redis.url });
    class RedisIoAdapter extends KrakenIoAdapter {
      createIOServer(port, options) {
        const server = super.createIOServer(port, options);
        server.adapter(createAdapter(pub, sub, { key: 'nest' }));
        return server;
      }
    }
    const io = new RedisIoAdapter().createIOServer(0, { host: '127.0.0.1', cors: { origin: '*' }, transports: ['websocket'] });
    atEnd(t, () => io.close());
    const node = { io, kind: 'native', mode: 'classic', url: `http://127.0.0.1:${io.httpServer.address().port}` };
    await talks(node, await startNode(t, { kind: 'redis4', mode: 'classic', where: { url: redis.url }, adapter: { prefix: 'nest' } }));
  });

  test('what can not be read from a client, or carried over, is refused', async (t) => {
    const { io } = serve(t);
    const [pub, sub] = await clients(t, 'redis4', { url: redis.url });
    const parser = { encode: (value) => Buffer.from(JSON.stringify(value)), decode: JSON.parse };
    assert.throws(() => io.adapter(createAdapter(pub, sub, { parser })), { ...CODE, message: /parser/ });
    assert.throws(() => own.createAdapter(pub, sub, { parser }), { ...CODE, message: /parser/ });
    for (const encode of [JSON.stringify, () => { throw new Error('no such value'); }, () => undefined]) {
      assert.throws(() => io.adapter(createAdapter(pub, sub, { parser: { encode, decode: JSON.parse } })), { ...CODE, message: /parser/ });
    }
    assert.throws(() => own.createAdapter({ publish() {} }, sub), { ...CODE, message: /"redis" 4 or 5 or of "ioredis"/ });
    assert.throws(() => io.adapter(own.createAdapter({})), { code: 'ERR_KRAKEN_WS_OPTION', message: /^cluster\.redis: / });
    const unchecked = { ...pub.options, socket: { host: 'h', tls: true, rejectUnauthorized: false } };
    const client = { publish() {}, pSubscribe() {}, options: unchecked };
    assert.throws(() => own.createAdapter(client, client), { ...CODE, message: /rejectUnauthorized/ });
    assert.throws(() => own.createAdapter({ redis: redis.url })({ name: '/' }), { ...CODE, message: /@socket\.io\/redis-adapter/ });
    assert.equal(io.stats().cluster, undefined);
  });
});
