// 100,000 clients come and go in waves. SOAK scales the number: SOAK=0.1 for a tenth, SOAK=10 for a long night.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerProcess } from './support/child.mjs';
import { CrowdClient, WAYS_TO_LEAVE } from './support/crowd.mjs';

const MiB = 1024 * 1024;
const TOTAL = Math.round(100_000 * Number(process.env.SOAK ?? 1));
const WAVE = 500;
const WARM_UP_WAVES = 10;
/**
 * The heaps of V8 and of the allocator reach their size within some ten thousand clients (28 MiB after 50,000
 * and after 100,000). From the half on only slack may come: a leak of 160 bytes per client would show.
 */
const ALLOWED_GROWTH = 8 * MiB;
/** Client addresses, because one has only 28,000 ports and a closed connection keeps its port for a minute. */
const ADDRESSES = Array.from({ length: 16 }, (_, i) => `127.0.0.${i + 2}`);

async function wave(port, count, offset) {
  let next = 0;
  await Promise.all(Array.from({ length: 100 }, async () => {
    while (next < count) {
      const index = offset + next++;
      const client = await CrowdClient.join(port, { localAddress: ADDRESSES[index % ADDRESSES.length] });
      await client.leave(WAYS_TO_LEAVE[index % WAYS_TO_LEAVE.length]);
    }
  }));
}

test(`${TOTAL} connects and disconnects end at baseline memory with nothing left`, { timeout: 300_000 * Math.max(1, TOTAL / 100_000) }, async (t) => {
  const server = await ServerProcess.start({ joins: ['lobby', 'a room that empties with every wave'] });
  try {
    const ended = ({ reasons }) => Object.values(reasons).reduce((sum, count) => sum + count, 0);
    const emptyAfter = (total) => (state) => state.connections + state.sockets + state.rooms === 0 && ended(state) >= total;
    for (let i = 0; i < WARM_UP_WAVES; i++) await wave(server.port, WAVE, i * WAVE);
    await server.settle(emptyAfter(WARM_UP_WAVES * WAVE));
    let memoryBefore;
    const descriptorsBefore = await server.descriptors();
    const cpuBefore = await server.cpu();
    const started = Date.now();

    for (let done = 0; done < TOTAL; done += WAVE) {
      await wave(server.port, Math.min(WAVE, TOTAL - done), done);
      if (memoryBefore || done + WAVE < TOTAL / 2) continue;
      await server.settle(emptyAfter(done + WAVE + WARM_UP_WAVES * WAVE));
      memoryBefore = await server.rss();
    }

    const seconds = (Date.now() - started) / 1000;
    const cpu = (await server.cpu()) - cpuBefore;
    const state = await server.settle(emptyAfter(TOTAL + WARM_UP_WAVES * WAVE));
    const grown = (await server.rss()) - memoryBefore;
    t.diagnostic(`${seconds.toFixed(1)} s, ${Math.round((cpu / TOTAL) * 1e6)} µs of server CPU per client, memory ${(grown / MiB).toFixed(1)} MiB in the second half`);

    assert.deepEqual([state.connections, state.sockets, state.rooms], [0, 0, 0]);
    if (state.stats) assert.deepEqual([state.stats.connections, state.stats.sockets, state.stats.rooms], [0, 0, 0]);
    assert.equal(ended(state), TOTAL + WARM_UP_WAVES * WAVE, 'every client was reported as disconnected, once');
    assert.equal(await server.descriptors(), descriptorsBefore);
    assert.ok(grown < ALLOWED_GROWTH, `memory grew by ${(grown / MiB).toFixed(1)} MiB`);
  } finally {
    await server.stop();
  }
});
