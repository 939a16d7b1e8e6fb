// `createAdapter` and `createShardedAdapter` for `io.adapter(…)`. They return settings with which a server joins a
// fleet; the core opens its own connections, to the Redis of the application's clients.
import { factoryOf } from '../cluster/adapter-factories';
import type { ClusterAdapterFactory } from '../cluster/adapter-factories';
import { isClient, settingsOf } from '../cluster/redis-clients';
import { coded } from '../native/error';
import type { ClusterOptions } from '../options/cluster-options';

/** Options of `createAdapter`, as @socket.io/redis-adapter names them. */
export interface RedisAdapterOptions {
  /** First part of all channel names. Default `socket.io`. */
  key?: string;
  /** How long answers of other nodes are waited for, in milliseconds. Default 5000. */
  requestsTimeout?: number;
  /** Answer only to the node that asked. Default `false`. */
  publishOnSpecificResponseChannel?: boolean;
}

/** Options of `createShardedAdapter`, as @socket.io/redis-adapter names them. */
export interface ShardedRedisAdapterOptions {
  /** First part of all channel names. Default `socket.io`. */
  channelPrefix?: string;
  /** Which rooms have a channel of their own. Default `dynamic`. */
  subscriptionMode?: 'static' | 'dynamic' | 'dynamic-private';
}

type OwnSettings = Omit<ClusterOptions, 'mode'>;

function refuseParser(options: object): void {
  if (!('parser' in options) || options.parser === undefined) return;
  const message = 'parser: nodes of a fleet speak msgpack with each other; leave it out on all nodes';
  throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
}

/** Joins a fleet of `createAdapter` nodes: with two clients of `redis` or `ioredis`, or with settings as the option `cluster`. */
export function createAdapter(settings: OwnSettings): ClusterAdapterFactory;
export function createAdapter(pubClient: unknown, subClient: unknown, options?: RedisAdapterOptions): ClusterAdapterFactory;
export function createAdapter(first: unknown, _subClient?: unknown, options: RedisAdapterOptions = {}): ClusterAdapterFactory {
  if (!isClient(first)) return factoryOf({ ...(first as OwnSettings), mode: 'classic' });
  refuseParser(options);
  const { key, requestsTimeout, publishOnSpecificResponseChannel } = options;
  return factoryOf({ ...settingsOf(first), mode: 'classic', prefix: key, requestsTimeout, publishOnSpecificResponseChannel });
}

/** Joins a fleet of `createShardedAdapter` nodes (Redis 7 and later); arguments as of {@link createAdapter}. */
export function createShardedAdapter(settings: OwnSettings): ClusterAdapterFactory;
export function createShardedAdapter(
  pubClient: unknown,
  subClient: unknown,
  options?: ShardedRedisAdapterOptions,
): ClusterAdapterFactory;
export function createShardedAdapter(
  first: unknown,
  _subClient?: unknown,
  options: ShardedRedisAdapterOptions = {},
): ClusterAdapterFactory {
  if (!isClient(first)) return factoryOf({ ...(first as OwnSettings), mode: 'sharded' });
  const { channelPrefix, subscriptionMode } = options;
  return factoryOf({ ...settingsOf(first), mode: 'sharded', prefix: channelPrefix, subscriptionMode });
}
