// Much at once for one client that reads: it gets all of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { until } from '../support/wait.mjs';

const BURSTS = [
  ['100 texts of 65 kB', 100, () => 'a'.repeat(65_536)],
  ['10 texts of 200 kB', 10, () => 'a'.repeat(200_000)],
  ['two buffers of 3 MB', 2, () => Buffer.alloc(3e6, 7)],
];

for (const transport of Object.keys(TRANSPORTS)) {
  for (const [name, count, make] of BURSTS) {
    test(`${name} in one go reach a client over ${transport}, in order, and it stays`, { timeout: 60_000 }, async (t) => {
      const { io, url } = await serve(t);
      const { client, socket } = await pair(io, url, { transport });
      const got = [];
      client.on('b', (number, body) => got.push([number, body.length ?? body.byteLength]));
      const body = make();
      for (let number = 0; number < count; number += 1) socket.emit('b', number, body);
      socket.emit('small', 1);
      await until(() => got.length === count, 'all of it', 30_000);
      assert.deepEqual(got, Array.from({ length: count }, (_, number) => [number, body.length]));
      assert.equal(socket.connected && client.connected, true);
    });
  }
}
