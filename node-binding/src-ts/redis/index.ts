/// <reference types="node" preserve="true" />
// `kraken-ws-native/redis`: for applications that know @socket.io/redis-adapter and @socket.io/redis-emitter, under the
// names that those have.
export { createAdapter, createShardedAdapter } from './adapters';
export type { RedisAdapterOptions, ShardedRedisAdapterOptions } from './adapters';
export { BroadcastOperator, Emitter } from './emitter';
export type { EmitterOptions } from './emitter';
export type { ClusterAdapterFactory } from '../cluster/adapter-factories';
export type { ClusterOptions, RedisOptions, RedisPlace, RedisTls } from '../options/cluster-options';
