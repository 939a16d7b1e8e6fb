// All operations between every two kinds of nodes in one mode. The client libraries take turns with the modes, so that
// each one faces a native node in both directions. socket.io with itself is the oracle for the others.
import { describe } from 'node:test';
import { isNative } from '../support/subject.mjs';
import { operations } from './operations.mjs';
import { LIBRARY_NAMES, MODES } from './support/node-kinds.mjs';
import { startRedis } from './support/redis.mjs';

export function pairsOf(mode) {
  const turn = Object.keys(MODES).indexOf(mode);
  const library = (at) => LIBRARY_NAMES[(turn + at) % LIBRARY_NAMES.length];
  const pairs = [[library(0), library(1)]];
  if (isNative) pairs.push(['native', 'native'], ['native', library(2)], [library(3), 'native']);
  for (const kinds of pairs) {
    describe(`${mode}: ${kinds.join(' to ')}`, () => {
      operations({ kinds, mode, start: async (t) => ({ redis: await startRedis(t) }) });
    });
  }
}
