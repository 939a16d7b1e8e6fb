// Settings of an application's Redis clients, so that the core connects to the same Redis: `redis` 4 and 5, `ioredis`,
// alone, behind sentinels or on Redis Cluster.
import { coded } from '../native/error';
import type { RedisOptions, RedisTls } from '../options/cluster-options';

/** The settings of a client that the core needs. */
export type RedisSettings = Pick<RedisOptions, 'redis' | 'username' | 'password' | 'tls' | 'protocol'>;

interface Address {
  host?: string;
  port?: number | string;
  path?: string;
}

interface Credentials {
  username?: string | null;
  password?: string | null;
}

function refuse(what: string): never {
  const message = `${what}; give the settings themselves: new Server(…, { cluster: { redis: "redis://…" } })`;
  throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
}

function urlOf({ host, port, path }: Address, secure: boolean): string {
  if (path) return `redis+unix://${path}`;
  const name = host || '127.0.0.1';
  return `${secure ? 'rediss' : 'redis'}://${name.includes(':') ? `[${name}]` : name}:${port || 6379}`;
}

function pem(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return (Array.isArray(value) ? value : [value]).map(String).join('\n');
}

/** Options of Node's TLS. */
function tlsOf(given: unknown): RedisTls | undefined {
  if (given === null || typeof given !== 'object') return undefined;
  const { ca, cert, key, rejectUnauthorized, pfx, passphrase } = given as Record<string, unknown>;
  if (rejectUnauthorized === false) refuse('the Redis client does not check certificates (rejectUnauthorized)');
  if (pfx || passphrase) refuse('the Redis client has its certificate in another form than PEM (pfx, passphrase)');
  const tls = { ca: pem(ca), cert: pem(cert), key: pem(key) };
  return Object.values(tls).some((part) => part !== undefined) ? tls : undefined;
}

function credentials({ username, password }: Credentials): Credentials {
  for (const value of [username, password]) {
    if (value && typeof value !== 'string') refuse('the Redis client gets its password from a function');
  }
  return { username: username || undefined, password: password || undefined };
}

/** Leaves out settings that are undefined. */
function compact(settings: object): RedisSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as unknown as RedisSettings;
}

/** A client of `redis`, by its options. */
function nodeRedis(options: any): RedisSettings {
  const socket = options.socket ?? {};
  const { credentialsProvider, RESP } = options;
  if (credentialsProvider && !options.password) refuse('the Redis client gets its password from a function');
  return compact({
    redis: urlOf(socket, !!socket.tls),
    ...credentials(options),
    tls: socket.tls ? (tlsOf(socket.tls) ?? tlsOf(socket)) : undefined,
    protocol: RESP,
  });
}

/** A cluster of `redis`: its masters, and the settings of the client to one of them. */
function nodeRedisCluster(masters: any[]): RedisSettings {
  if (masters.length === 0) refuse('the Redis Cluster client is not connected yet: await its connect() first');
  const options = masters.find(({ client }) => client?.options)?.client.options ?? {};
  const { redis: _one, ...settings } = nodeRedis(options);
  const secure = !!options.socket?.tls;
  return { redis: { cluster: masters.map((master) => urlOf(master, secure)) }, ...settings };
}

/** A client of `ioredis`, by its options. */
function ioRedis(options: any): RedisSettings {
  const { tls, sentinels, name, sentinelUsername, sentinelPassword } = options;
  const secure = { ...credentials(options), tls: tlsOf(tls), protocol: options.protocol };
  if (!Array.isArray(sentinels)) return compact({ redis: urlOf(options, !!tls), ...secure });
  if (tls && !options.enableTLSForSentinelMode) refuse('the Redis client speaks TLS to Redis and not to its sentinels');
  const urls = sentinels.map((place: Address) => withUser(urlOf(place, !!tls), sentinelUsername, sentinelPassword));
  return compact({ redis: { sentinel: { sentinels: urls, master: name } }, ...secure });
}

function withUser(url: string, username: string | undefined, password: string | undefined): string {
  if (!password) return url;
  return url.replace('://', `://${encodeURIComponent(username ?? '')}:${encodeURIComponent(password)}@`);
}

/** A cluster of `ioredis`: the nodes that it was given. */
function ioRedisCluster(startupNodes: unknown[], options: any): RedisSettings {
  const { redis: _one, ...settings } = ioRedis({ ...options, sentinels: undefined });
  const urls = startupNodes.map((node) => {
    if (typeof node === 'string' && node.includes('://')) return node;
    const place = typeof node === 'object' ? (node as Address) : { port: Number(node) };
    return urlOf(place, !!options?.tls);
  });
  return { redis: { cluster: urls }, ...settings };
}

/** Settings of a client; throws for any other value. */
export function settingsOf(client: any): RedisSettings {
  if (client?.isCluster && Array.isArray(client.startupNodes)) {
    return ioRedisCluster(client.startupNodes, client.options?.redisOptions ?? {});
  }
  if (Array.isArray(client?.masters)) return nodeRedisCluster(client.masters);
  const { options } = client ?? {};
  if (typeof client?.pSubscribe === 'function' && options) return nodeRedis(options);
  if (typeof client?.psubscribe === 'function' && options && 'host' in options) return ioRedis(options);
  return refuse('this is no client of "redis" 4 or 5 or of "ioredis" whose settings can be read');
}

/** Whether a value is a client, not settings. */
export function isClient(value: unknown): boolean {
  const { publish } = (value ?? {}) as { publish?: unknown };
  return typeof publish === 'function';
}
