// Nodes of a fleet, in this process or in one of their own: native ones, and socket.io with @socket.io/redis-adapter
// over each client library that it takes.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import * as ioredis from 'ioredis';
import * as ioredis5 from 'ioredis5';
import * as redis4 from 'redis4';
import * as redis5 from 'redis5';
import * as redis6 from 'redis6';
import { Server as SocketIo } from 'socket.io';
import { nativePath } from '../../support/subject.mjs';
import { deferred, within } from '../../support/wait.mjs';
import { atEnd } from './at-end.mjs';

const require = createRequire(import.meta.url);

// A failing connection is what some tests are about; a client without listener would end the process.
const ignore = () => {};
const QUIT_MS = 500;

// `where`: { url } or { cluster: [urls] }, and what the library takes beside it as `options`.
const LIBRARIES = {
  redis4: (where) => nodeRedis(redis4, where),
  redis5: (where) => nodeRedis(redis5, where),
  redis6: (where) => nodeRedis(redis6, where),
  ioredis: (where) => ioRedis(ioredis, where),
  ioredis5: (where) => ioRedis(ioredis5, where),
};

async function ioRedis(library, { url, cluster, options }) {
  const place = (one) => ({ host: new URL(one).hostname, port: Number(new URL(one).port) });
  const client = cluster
    ? new library.Cluster(cluster.map(place), { shardedSubscribers: true, ...options })
    : new library.Redis(url, options);
  client.on('error', ignore);
  if (client.status !== 'ready') await within(once(client, 'ready'), 'ioredis');
  return { client, end: () => leave(client, () => client.disconnect()) };
}

async function nodeRedis(library, { url, cluster, options }) {
  const client = cluster
    ? library.createCluster({ rootNodes: cluster.map((one) => ({ url: one })), ...options })
    : library.createClient({ url, ...options });
  client.on('error', ignore);
  // Adapters unsubscribe when they close, and nobody waits for it: a client that is faster at ending must not fail a test.
  for (const name of ['unsubscribe', 'pUnsubscribe', 'sUnsubscribe']) {
    const unsubscribe = client[name].bind(client);
    client[name] = (...args) => {
      const done = unsubscribe(...args);
      Promise.resolve(done).catch(ignore);
      return done;
    };
  }
  await within(client.connect(), 'redis client');
  return { client, end: () => leave(client, () => client.destroy?.() ?? client.disconnect()) };
}

// What the adapter has under way on a client gets its answer first, unless Redis is gone.
async function leave(client, cut) {
  try {
    await within(client.quit(), 'QUIT', QUIT_MS);
  } catch {
    await Promise.resolve().then(cut).catch(ignore);
  }
}

export const LIBRARY_NAMES = Object.keys(LIBRARIES);

export function openClient(library, where) {
  return LIBRARIES[library](where);
}

// The four ways of the formats; `subscriptionMode` only has one in sharded mode.
export const MODES = {
  classic: { mode: 'classic' },
  static: { mode: 'sharded', subscriptionMode: 'static' },
  dynamic: { mode: 'sharded', subscriptionMode: 'dynamic' },
  'dynamic-private': { mode: 'sharded', subscriptionMode: 'dynamic-private' },
};

// What `io.adapter` takes for a mode, over two clients.
export function adapterFor(mode, pub, sub, { prefix, requestsTimeout, specific } = {}) {
  const { mode: format, subscriptionMode } = MODES[mode];
  if (format === 'classic') {
    return createAdapter(pub, sub, { key: prefix, requestsTimeout, publishOnSpecificResponseChannel: specific });
  }
  return createShardedAdapter(pub, sub, prefix ? { channelPrefix: prefix, subscriptionMode } : { subscriptionMode });
}

// A node of kind `native`, or a JavaScript one over a library: `redis4`, `redis5`, `ioredis`.
export async function startNode(t, { kind, mode, where, options = {}, cluster = {}, adapter = {} }) {
  const made = kind === 'native' ? nativeNode(mode, where, options, cluster) : await jsNode(kind, mode, where, options, adapter);
  if (!made.io.httpServer.listening) await within(once(made.io.httpServer, 'listening'), 'listening');
  const { io, end } = made;
  const { port } = io.httpServer.address();
  let closed;
  const close = () =>
    (closed ??= (async () => {
      const done = deferred();
      io.close(() => done.resolve());
      await within(done.promise, 'io.close()');
      await end();
    })());
  atEnd(t, close);
  const prefix = (kind === 'native' ? cluster : adapter).prefix;
  return { io, kind, mode, prefix, port, url: `http://127.0.0.1:${port}`, close };
}

function nativeNode(mode, { url, cluster: nodes }, options, cluster) {
  const { Server } = require(nativePath);
  const redis = nodes ? { cluster: nodes } : url;
  const io = new Server(0, { host: '127.0.0.1', cluster: { redis, ...MODES[mode], ...cluster }, ...options });
  return { io, end: () => {} };
}

async function jsNode(library, mode, where, options, adapter) {
  const pub = await openClient(library, where);
  const sub = await openClient(library, where);
  const httpServer = createServer();
  const io = new SocketIo(httpServer, options);
  io.adapter(adapterFor(mode, pub.client, sub.client, adapter));
  httpServer.listen(0, '127.0.0.1');
  return {
    io,
    end: async () => {
      await pub.end();
      await sub.end();
    },
  };
}
