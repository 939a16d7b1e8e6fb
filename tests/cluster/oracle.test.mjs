// The operations between two nodes of socket.io itself: what the other files hold native nodes to.
import { describe } from 'node:test';
import { operations } from './operations.mjs';
import { LIBRARY_NAMES, MODES } from './support/node-kinds.mjs';
import { startRedis } from './support/redis.mjs';

Object.keys(MODES).forEach((mode, n) => {
  const library = (at) => LIBRARY_NAMES[at % LIBRARY_NAMES.length];
  const kinds = [library(n), library(n + 1)];
  describe(`${kinds.join(' and ')}, ${mode}`, () => {
    operations({ kinds, mode, start: async (t) => ({ redis: await startRedis(t) }) });
  });
});
