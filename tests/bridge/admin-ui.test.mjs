// @socket.io/admin-ui on a bound server: what its page is told.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { open, pair } from '../support/clients.mjs';
import { event } from '../support/wait.mjs';
import { bound } from './support/bound.mjs';

const { instrument } = createRequire(import.meta.url)('@socket.io/admin-ui');

for (const mode of ['production', 'development']) {
  test(`the admin page sees clients, rooms and figures in ${mode} mode`, async (t) => {
    const { io, url } = await bound(t, {
      prepare: (server) => instrument(server, { auth: false, mode, serverId: 'here', readonly: false }),
    });
    const { socket, client } = await pair(io, url, { transport: 'upgrade' });
    socket.join('room');
    const admin = open(`${url}/admin`);
    const stats = event(admin, 'server_stats');
    if (mode === 'development') {
      const [sockets] = await event(admin, 'all_sockets');
      const shown = sockets.find(({ id, nsp }) => id === socket.id && nsp === '/');
      assert.ok(shown.rooms.includes('room'));
      assert.ok(socket.conn.id.startsWith(shown.clientId));
      const sent = event(admin, 'event_sent');
      const heard = event(client, 'hello');
      io.to('room').emit('hello', 'you');
      await heard;
      assert.deepEqual((await sent).slice(0, 3), ['/', socket.id, ['hello', 'you']]);
      const received = event(admin, 'event_received');
      client.emit('from client', 1);
      assert.deepEqual((await received).slice(0, 3), ['/', socket.id, ['from client', 1]]);
    }
    const [figures] = await stats;
    assert.equal(figures.serverId, 'here');
    assert.ok(figures.clientsCount >= 2, JSON.stringify(figures));
    const gone = event(client, 'disconnect');
    admin.emit('_disconnect', '/', true, socket.id);
    assert.equal((await gone)[0], 'io server disconnect');
  });
}
