// io.engine, socket.conn and its transport, member by member, as programs that reach below socket.io's API read them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { pair } from '../support/clients.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { openPolling } from '../support/http.mjs';
import { isBridge, isNative, subject } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';

const EVENT = 2;
const onSocketIo = subject === 'socket.io';

for (const [name, start] of [['a port', serve], ['a Node HTTP server', serveAttached]]) {
  describe(`the engine's objects, on ${name}`, () => {
    test('io.engine.clients holds the connections by their id', async (t) => {
      const { io, url } = await start(t);
      const { client, socket } = await pair(io, url);
      const { socket: second } = await pair(io, url, { transport: 'polling' });
      const { clients } = io.engine;
      assert.deepEqual(new Set(Object.keys(clients)), new Set([socket.conn.id, second.conn.id]));
      assert.equal(clients[socket.conn.id], socket.conn);
      assert.equal(clients[second.client.id], second.conn);
      assert.ok(socket.conn.id in clients);
      assert.equal(clients.none, undefined);
      assert.equal(Object.values(clients).length, io.engine.clientsCount);
      client.disconnect();
      await until(() => Object.keys(clients).length === 1, 'one is left');
      assert.equal(clients[socket.conn.id], undefined);
      for (const id of Object.keys(clients)) clients[id].close();
      await until(() => io.engine.clientsCount === 0, 'all closed');
    });

    test('io.engine.clients holds connections that io.engine announced by their session ids', async (t) => {
      const { io, url } = await start(t);
      const arrived = event(io.engine, 'connection');
      const { sid } = await openPolling(url);
      const [raw] = await arrived;
      assert.equal(io.engine.clients[sid], raw);
      assert.deepEqual(Object.keys(io.engine.clients), [sid]);
    });

    test('io.eio and conn.server are the engine', async (t) => {
      const { io, url } = await start(t);
      const { socket } = await pair(io, url);
      assert.equal(io.eio, io.engine);
      assert.equal(socket.conn.server, io.engine);
      assert.deepEqual(socket.conn.writeBuffer, []);
    });

    test('io.engine.opts holds what clients are served with', async (t) => {
      const { io } = await start(t, { pingInterval: 12_000, cookie: true, perMessageDeflate: true });
      const { opts } = io.engine;
      const { pingInterval, pingTimeout, upgradeTimeout, maxHttpBufferSize, transports, allowUpgrades, allowEIO3 } = opts;
      assert.deepEqual(
        { pingInterval, pingTimeout, upgradeTimeout, maxHttpBufferSize, transports, allowUpgrades, allowEIO3 },
        {
          pingInterval: 12_000, pingTimeout: 20_000, upgradeTimeout: 10_000, maxHttpBufferSize: 1e6,
          transports: ['polling', 'websocket'], allowUpgrades: true, allowEIO3: false,
        },
      );
      assert.deepEqual(opts.cookie, { name: 'io', path: '/', httpOnly: true, sameSite: 'lax' });
      assert.equal(opts.perMessageDeflate.threshold, 1024);
      assert.equal(opts.path, '/socket.io');
    });

    test('the transport tells who is behind its WebSocket', async (t) => {
      const { io, url } = await start(t);
      const { socket } = await pair(io, url);
      const { transport } = socket.conn;
      assert.equal(transport.name, 'websocket');
      assert.equal(transport.protocol, 4);
      assert.equal(transport.readyState, 'open');
      assert.equal(transport.writable, true);
      assert.match(transport.socket._socket.remoteAddress, /127\.0\.0\.1$/);
      assert.equal(transport.socket._socket.remoteAddress, socket.conn.remoteAddress);
      assert.ok(transport.socket._socket.remotePort > 0);
      const { socket: polling } = await pair(io, url, { transport: 'polling' });
      assert.equal(polling.conn.transport.socket, undefined);
      const { socket: moved } = await pair(io, url, { transport: 'upgrade' });
      await until(() => moved.conn.transport.name === 'websocket', 'upgraded');
      assert.match(moved.conn.transport.socket._socket.remoteAddress, /127\.0\.0\.1$/);
      socket.disconnect(true);
      await until(() => transport.readyState !== 'open', 'closed');
    });

    test('io.engine.generateId may be wrapped', async (t) => {
      const { io, url } = await start(t);
      const { generateId } = io.engine;
      io.engine.generateId = (req) => `mine-${generateId.call(io.engine, req)}`;
      const [one, two] = [await openPolling(url), await openPolling(url)];
      assert.match(one.sid, /^mine-.{20}$/);
      assert.notEqual(one.sid, two.sid);
    });

    test('the request of a WebSocket keeps the address of its peer', async (t) => {
      const { io, url } = await start(t, { allowRequest: (_req, callback) => callback(null, true) });
      const { socket } = await pair(io, url);
      const { socket: peer } = socket.request;
      assert.match(peer.remoteAddress, /127\.0\.0\.1$/);
      assert.ok(peer.remotePort > 0);
    });

    test('socket.packet sends a packet as it is', async (t) => {
      const { io, url } = await start(t);
      const { client, socket } = await pair(io, url);
      const got = [];
      client.onAny((...args) => got.push(args));
      socket.emit('first');
      socket.packet({ type: EVENT, data: ['second', 1, { a: null }] });
      socket.emit('third');
      await until(() => got.length === 3, 'all came');
      assert.deepEqual(got, [['first'], ['second', 1, { a: null }], ['third']]);
      const bytes = event(client, 'bytes');
      socket.packet({ type: EVENT, data: ['bytes', Buffer.from([1, 2])] });
      assert.deepEqual(Buffer.from((await bytes)[0]), Buffer.from([1, 2]));
    });

    test('by polling a payload is compressed only if one of its packets may be', async (t) => {
      const { io, url } = await start(t);
      const large = 'x'.repeat(5000);
      io.on('connection', (socket) => {
        socket.on('plain', () => {
          socket.compress(false).emit('a', large);
          socket.compress(false).emit('b', large);
        });
        socket.on('room', () => io.compress(false).emit('a', large));
        socket.on('both', () => {
          socket.compress(false).emit('a', large);
          socket.emit('b', large);
        });
      });
      const session = await openPolling(url);
      await session.post('40');
      assert.match((await session.get()).text, /^40/);
      const headers = { 'accept-encoding': 'gzip' };
      for (const [ask, encoding] of [['plain', undefined], ['room', undefined], ['both', 'gzip']]) {
        await session.post(`42["${ask}"]`);
        const answer = await session.get({ headers });
        assert.equal(answer.headers['content-encoding'], encoding, ask);
        const text = encoding ? gunzipSync(answer.body).toString() : answer.text;
        assert.ok(text.startsWith('42["a","xxx'), ask);
        // The second packet of `plain` may come with the first or behind it.
        if (ask === 'plain' && !text.includes('"b"')) await session.get({ headers });
      }
    });

    test('a message with a callback is not dropped when it is volatile', { skip: isNative && 'no such option' }, async (t) => {
      const { io, url } = await start(t);
      const arrived = event(io.engine, 'connection');
      const session = await openPolling(url);
      const [raw] = await arrived;
      let left = false;
      raw.send('one', { volatile: true }, () => (left = true));
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(left, false, 'nobody has fetched it');
      const { text } = await session.get();
      assert.match(text, /4one/);
      await until(() => left, 'it has left');
    });
  });
}

test('options of the engine are to be read', { skip: onSocketIo || isBridge ? 'of socket.io' : false }, async (t) => {
  const { io } = await serve(t);
  assert.throws(() => (io.engine.opts.pingInterval = 1), TypeError);
  assert.throws(() => delete io.engine.clients.any, TypeError);
});
