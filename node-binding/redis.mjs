// `kraken-ws-native/redis` for `import`: the CommonJS build under the names that ES modules can see.
import redis from './dist/redis/index.js';

export const { createAdapter, createShardedAdapter, Emitter } = redis;
