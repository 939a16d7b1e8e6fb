// @socket.io/admin-ui over our server: what its page is told.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { connect, open } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { event, until } from '../support/wait.mjs';

const { instrument } = createRequire(import.meta.url)('@socket.io/admin-ui');

async function administered(t, options = {}) {
  const { io, url } = await serve(t);
  instrument(io, { auth: false, mode: 'development', ...options });
  return { io, url };
}

test('the admin namespace shows sockets, rooms and events as they happen', async (t) => {
  const { io, url } = await administered(t);
  const early = await connect(url, { transport: 'polling' });
  io.sockets.sockets.get(early.id).join('early room');
  const admin = await connect(`${url}/admin`);
  const seen = [];
  admin.onAny((...args) => seen.push(args));
  const find = (name, check) => seen.find(([event, ...args]) => event === name && check(...args));

  const late = await connect(url, { extraHeaders: { 'x-forwarded-for': '10.0.0.1' } });
  await until(() => find('socket_connected', (socket) => socket.id === late.id), 'socket_connected');
  const [, shown] = find('socket_connected', (socket) => socket.id === late.id);
  assert.equal(shown.nsp, '/');
  assert.equal(shown.transport, 'websocket');
  assert.equal(shown.handshake.address, '10.0.0.1');
  assert.deepEqual(shown.rooms, [late.id]);

  const socket = io.sockets.sockets.get(late.id);
  socket.join('lobby');
  await until(() => find('room_joined', (nsp, room, id) => room === 'lobby' && id === late.id), 'room_joined');
  socket.leave('lobby');
  await until(() => find('room_left', (nsp, room, id) => room === 'lobby' && id === late.id), 'room_left');
  late.emit('question', 1, () => {});
  await until(() => find('event_received', (nsp, id, args) => id === late.id && args[0] === 'question'), 'event_received');
  io.emit('to all', 2);
  await until(() => find('event_sent', (nsp, id, args) => id === late.id && args[0] === 'to all'), 'event_sent');
  socket.data.name = 'somebody';
  await until(() => find('socket_updated', ({ id, data }) => id === late.id && data?.name === 'somebody'), 'socket_updated');
  const { id: ended } = late;
  late.disconnect();
  await until(() => find('socket_disconnected', (nsp, id) => id === ended), 'socket_disconnected');
  const [, , , reason] = find('socket_disconnected', (nsp, id) => id === ended);
  assert.equal(reason, 'client namespace disconnect');
});

test('the page begins with the sockets there are, and figures follow', async (t) => {
  const { io, url } = await administered(t);
  const client = await connect(url);
  io.sockets.sockets.get(client.id).join('r');
  // The listeners have to be there before the answer.
  const admin = open(`${url}/admin`, { autoConnect: false });
  const [all, config] = [event(admin, 'all_sockets'), event(admin, 'config')];
  admin.connect();
  const [sockets] = await all;
  assert.deepEqual((await config)[0].supportedFeatures.slice(0, 4), ['EMIT', 'JOIN', 'LEAVE', 'DISCONNECT']);
  const shown = sockets.find(({ id }) => id === client.id);
  assert.deepEqual(shown.rooms, [client.id, 'r']);
  const [stats] = await event(admin, 'server_stats');
  assert.ok(stats.clientsCount >= 2);
  assert.ok(stats.namespaces.some(({ name, socketsCount }) => name === '/' && socketsCount === 1));
  for (const type of ['rawConnection', 'packetsIn', 'packetsOut', 'bytesIn', 'bytesOut']) {
    assert.ok(stats.aggregatedEvents.some((counted) => counted.type === type && counted.count > 0), type);
  }
});

test('the page joins, leaves, emits to and disconnects sockets', async (t) => {
  const { io, url } = await administered(t);
  const client = await connect(url);
  const admin = await connect(`${url}/admin`);
  admin.emit('join', '/', 'made room', client.id);
  await until(() => io.of('/').adapter.rooms.has('made room'), 'joined');
  const got = event(client, 'from the page');
  admin.emit('emit', '/', 'made room', 'from the page', 1);
  assert.deepEqual(await got, [1]);
  admin.emit('leave', '/', 'made room', client.id);
  await until(() => !io.of('/').adapter.rooms.has('made room'), 'left');
  const gone = event(client, 'disconnect');
  admin.emit('_disconnect', '/', true, client.id);
  assert.equal((await gone)[0], 'io server disconnect');
});

test('upgrades are followed, and polling clients counted', async (t) => {
  const { io, url } = await administered(t);
  const stays = await connect(url, { transport: 'polling' });
  await until(() => io._pollingClientsCount === 1, 'one polls');
  const moves = await connect(url, { transport: 'upgrade' });
  await until(() => io.sockets.sockets.get(moves.id).data._admin.transport === 'websocket', 'transport is known');
  await until(() => io._pollingClientsCount === 1, 'one polls still');
  stays.disconnect();
  await until(() => io._pollingClientsCount === 0, 'none polls');
});
