// The server ends a client that is on its way from polling to WebSocket, over a network that takes its time: what was
// sent before arrives, the client learns why, and nobody hangs.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { open } from '../support/clients.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { startProxy } from '../support/proxy.mjs';
import { event, within } from '../support/wait.mjs';

// Each way takes this long; the moments of the end are spread over a connect and an upgrade.
const DELAY_MS = 20;
const MOMENTS = [0, 15, 30, 45, 60, 75, 90, 120, 160];

const ENDS = {
  'socket.disconnect(true)': [(io, socket) => socket.disconnect(true), 'io server disconnect'],
  'disconnectSockets(true)': [(io, socket) => io.in(socket.id).disconnectSockets(true), 'io server disconnect'],
  'conn.close()': [(io, socket) => socket.conn.close(), 'transport close'],
};

const DOORS = { 'its own port': serve, "a Node HTTP server's port": serveAttached };

// What a client hears until its end.
async function listen(url) {
  const client = open(url, { transport: 'upgrade' });
  const heard = [];
  client.on('why', (why) => heard.push(why));
  client.on('connect', () => client.emit('may I', (answer) => heard.push(answer)));
  const [reason] = await event(client, 'disconnect', 8000);
  // It does not come back by itself after `io server disconnect`.
  return { heard, reason, active: client.active };
}

for (const [door, start] of Object.entries(DOORS)) {
  describe(`upgrading clients on ${door}`, () => {
    for (const [how, [end, reason]] of Object.entries(ENDS)) {
      test(`hear what was emitted before ${how}, and why they go`, async (t) => {
        const { io, port } = await start(t);
        const proxy = await startProxy(t, port);
        proxy.delay(DELAY_MS);
        let count = 0;
        io.on('connection', (socket) => {
          setTimeout(() => {
            socket.emit('why', 'banned');
            end(io, socket);
          }, MOMENTS[count++]);
        });
        const ends = await Promise.all(MOMENTS.map(() => listen(proxy.url)));
        for (const { heard, ...rest } of ends) {
          assert.deepEqual([heard.at(-1), rest.reason], ['banned', reason]);
          if (reason === 'io server disconnect') assert.equal(rest.active, false);
        }
      });

      test(`hear the answer that was given before ${how}`, async (t) => {
        const { io, port } = await start(t);
        const proxy = await startProxy(t, port);
        proxy.delay(DELAY_MS);
        let count = 0;
        io.on('connection', (socket) => {
          socket.on('may I', (answer) => setTimeout(() => {
            answer('no');
            end(io, socket);
          }, MOMENTS[count++]));
        });
        const ends = await Promise.all(MOMENTS.map(() => listen(proxy.url)));
        assert.deepEqual(ends.map(({ heard, reason: why }) => [...heard, why]), MOMENTS.map(() => ['no', reason]));
      });
    }

    test('hear of io.close() at any moment, which settles', async (t) => {
      await Promise.all(MOMENTS.map(async (moment) => {
        const { io, port } = await start(t);
        const proxy = await startProxy(t, port);
        proxy.delay(DELAY_MS);
        const closed = new Promise((resolve) => {
          io.on('connection', () => setTimeout(() => io.close(resolve), moment));
        });
        const { reason } = await listen(proxy.url);
        assert.match(reason, /^transport (close|error)$/);
        await within(closed, 'io.close()');
      }));
    });
  });
}
