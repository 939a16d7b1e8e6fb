// Where Redis can be: Redis Cluster, behind sentinels, behind TLS, a password or an ACL, in either RESP.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { makeCertificate } from '../support/certificate.mjs';
import { closeClients } from '../support/clients.mjs';
import { freePort } from '../support/server.mjs';
import { isNative, nativeOnly, nativePath } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';
import { essentials } from './support/essentials.mjs';
import { enter, member, startFleet, together } from './support/fleet.mjs';
import { adapterFor, openClient, startNode } from './support/node-kinds.mjs';
import { startRedis, startRedisCluster } from './support/redis.mjs';
import { atEnd } from './support/at-end.mjs';

const require = createRequire(import.meta.url);
const BACK_MS = 20_000;

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

  const pairs = isNative ? [['native', 'native'], ['native', 'redis4'], ['redis5', 'native'], ['ioredis', 'native']] : [['redis4', 'ioredis']];
  for (const mode of ['classic', 'static', 'dynamic', 'dynamic-private']) {
    for (const kinds of pairs) {
      test(`${kinds.join(' and ')}, ${mode}`, async (t) => {
        const [a, b] = await startFleet(t, { kinds, mode, where, ...unique() });
        await essentials(redis, a, b);
      });
    }
  }
});

let serial = 0;
// Tests of one Redis stay apart.
function unique() {
  const prefix = `fleet-${(serial += 1)}`;
  return { cluster: { prefix }, adapter: { prefix } };
}
void [assert, createRequire, writeFileSync, join, makeCertificate, freePort, nativeOnly, nativePath, event, until, enter, member, together, adapterFor, openClient, startNode, startRedis, atEnd, require, BACK_MS];
