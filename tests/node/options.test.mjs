// A wrong option is refused at start, by name and with what is accepted; socket.io takes anything.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { open, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { run } from '../support/child.mjs';
import { openPolling, request } from '../support/http.mjs';
import { Server, nativeOnly } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';

const DAY_MS = 86_400_000;

// option, the exact message where the wording is settled, else what it must contain
const WRONG = [
  [{ pingTimeout: 'fast' }, `pingTimeout: expected a number of milliseconds from 1 to ${DAY_MS}, got "fast"`],
  [{ pingInterval: 0 }, `pingInterval: expected a number of milliseconds from 1 to ${DAY_MS}, got 0`],
  [{ pingInterval: -5 }, /^pingInterval: expected .* got -5$/],
  [{ connectTimeout: DAY_MS + 1 }, /^connectTimeout: expected .* got 86400001$/],
  [{ upgradeTimeout: [] }, /^upgradeTimeout: expected .* got \[\]$/],
  [{ maxHttpBufferSize: '1MB' }, /^maxHttpBufferSize: expected a number of bytes from 1 to \d+, got "1MB"$/],
  [{ maxHttpBufferSize: 1.5 }, /^maxHttpBufferSize: expected .* got 1\.5$/],
  [{ maxOutboxBytes: 1 }, /^maxOutboxBytes: expected .* got 1$/],
  [{ outboxTimeout: 0 }, /^outboxTimeout: expected .* got 0$/],
  [{ hardOutboxBytes: 1 }, /^hardOutboxBytes: expected .* got 1$/],
  [{ totalOutboxBytes: -1 }, /^totalOutboxBytes: expected .* got -1$/],
  [{ maxAnswerBytes: 1 }, /^maxAnswerBytes: expected .* got 1$/],
  [{ shards: 1.5 }, 'shards: expected a whole number from 0 to 64, got 1.5'],
  [{ transports: 'websocket' }, /^transports: expected a non-empty list .* got "websocket"$/],
  [{ transports: [] }, /^transports: expected a non-empty list .* got \[\]$/],
  [{ transports: ['pigeon'] }, 'transports[0]: expected "polling" or "websocket", got "pigeon"'],
  [{ allowEIO3: 'yes' }, 'allowEIO3: expected true or false, got "yes"'],
  [{ perMessageDeflate: 'on' }, /^perMessageDeflate: expected .* got "on"$/],
  [{ httpCompression: { threshold: 'big' } }, /^httpCompression\.threshold: expected .* got "big"$/],
  [{ parser: 'xml' }, 'parser: expected "default" or "msgpack", got "xml"'],
  [{ cookie: 7 }, /^cookie: expected .* got 7$/],
  [{ cookie: { name: 'a; b' } }, /^cookie\.name: expected .* got "a; b"$/],
  [{ cookie: { sameSite: 'sometimes' } }, /^cookie\.sameSite: expected .* got "sometimes"$/],
  [{ cors: { origin: 5 } }, /^cors\.origin: expected .* got 5$/],
  [{ cors: { origin: [() => true] } }, /^cors\.origin\[0\]: expected .* got null$/],
  [{ path: 'has space' }, /^path: expected .* got "has space"$/],
  [{ path: '/a\nb' }, /^path: expected .* got "\/a\\nb"$/],
  [{ path: '/a\u007f' }, /^path: expected/],
  [{ pingTimeout: Infinity }, 'pingTimeout: expected a finite number, got Infinity'],
  [{ maxHttpBufferSize: NaN }, 'maxHttpBufferSize: expected a finite number, got NaN'],
  [{ perMessageDeflate: { threshold: -Infinity } }, 'perMessageDeflate.threshold: expected a finite number, got -Infinity'],
  [{ cluster: { redis: 'redis://127.0.0.1', queueBytes: Infinity } }, 'cluster.queueBytes: expected a finite number, got Infinity'],
  [{ allowRequest: true }, /^allowRequest: expected a function, got true$/],
  [{ pingtimeout: 1, strictOptions: true }, /^pingtimeout: expected a known option \(did you mean pingTimeout\?\), got 1$/],
  [{ noSuchThing: 1, strictOptions: true }, /^noSuchThing: expected a known option/],
  [{ strictOptions: 'yes' }, 'strictOptions: expected true or false, got "yes"'],
  [{ connectionStateRecovery: { maxDisconectionDuration: 1 } }, /^connectionStateRecovery\.maxDisconectionDuration: expected/],
  [{ flushIntervalMs: 5000 }, /^flushIntervalMs: expected .* got 5000$/],
  [{ hostQueueBytes: 1 }, /^hostQueueBytes: expected .* got 1$/],
];

describe('wrong options', nativeOnly, () => {
  test('a pattern that is not JavaScript\'s needs a feature that the addon is built without', () => {
    const cors = { origin: [{ regex: '^http:' }] };
    assert.throws(() => new Server(0, { cors }), (error) => {
      assert.equal(error.code, 'ERR_KRAKEN_WS_FEATURE');
      assert.match(error.message, /^cors\.origin\[0\]: expected a build .* "regex"/);
      return true;
    });
  });

  for (const [options, message] of WRONG) {
    const [[name, value]] = Object.entries(options);
    const shown = JSON.stringify(value, (_, v) => (typeof v === 'function' ? 'a function' : typeof v === 'number' ? String(v) : v));
    test(`${name}: ${shown} is refused whichever way the server is made`, () => {
      const expected = { code: 'ERR_KRAKEN_WS_OPTION', message };
      assert.throws(() => new Server(0, { host: '127.0.0.1', ...options }), expected);
      assert.throws(() => new Server(createServer(), options), expected);
      assert.throws(() => new Server(options), expected);
    });
  }

  test('null and undefined mean the default', async (t) => {
    const { url } = await serve(t, { pingInterval: undefined, pingTimeout: null, cookie: undefined, cors: undefined });
    const { handshake } = await openPolling(url);
    assert.equal(handshake.pingInterval, 25000);
    assert.equal(handshake.pingTimeout, 20000);
  });

  test('a refused start leaves no listener and no thread that keeps the process', async () => {
    const { code, stdout } = await run(`
      const { Server } = require(process.env.SUBJECT_PATH);
      try { new Server(0, { pingTimeout: 'fast' }); } catch (error) { console.log(error.code); }
    `);
    assert.equal(code, 0);
    assert.equal(stdout.trim(), 'ERR_KRAKEN_WS_OPTION');
  });
});

test('every option of socket.io that the tests do not single out is accepted', async (t) => {
  const { io, url } = await serve(t, {
    path: '/socket.io', serveClient: false, connectTimeout: 1000, pingTimeout: 1000, pingInterval: 1000,
    upgradeTimeout: 1000, maxHttpBufferSize: 1e6, transports: ['polling', 'websocket'], allowUpgrades: true,
    perMessageDeflate: false, httpCompression: true, cookie: false, cors: { origin: true }, allowEIO3: false,
    cleanupEmptyChildNamespaces: false, addTrailingSlash: true, destroyUpgrade: true, destroyUpgradeTimeout: 1000,
  });
  const { client } = await pair(io, url);
  assert.equal(client.connected, true);
});

test('an option that does not exist is a warning, once, and the server starts', nativeOnly, async () => {
  const { code, stdout, stderr } = await run(`
    const { Server } = require(process.env.SUBJECT_PATH);
    process.on('warning', ({ name, code, message }) => console.log(name, code, message));
    const options = { maxPayload: 5, client: {}, pingTimeot: 9, host: '127.0.0.1' };
    for (let i = 0; i < 2; i++) {
      const io = new Server(0, options);
      console.log(io.httpServer?.listening ?? typeof io.engine);
      io.close();
    }
  `);
  assert.equal(code, 0, stderr);
  const warnings = stdout.split('\n').filter((line) => line.startsWith('KrakenWsWarning'));
  assert.deepEqual(warnings, [
    'KrakenWsWarning KRAKEN_WS_UNKNOWN_OPTION client: expected a known option, got {}',
    'KrakenWsWarning KRAKEN_WS_UNKNOWN_OPTION maxPayload: expected a known option, got 5',
    'KrakenWsWarning KRAKEN_WS_UNKNOWN_OPTION pingTimeot: expected a known option (did you mean pingTimeout?), got 9',
  ]);
});

test('path() and connectTimeout() read the options', async (t) => {
  const { io } = await serve(t, { path: '/somewhere', connectTimeout: 1234 });
  assert.equal(io.path(), '/somewhere');
  assert.equal(io.connectTimeout(), 1234);
});

test('inherited enumerable keys trip nobody', async (t) => {
  Object.prototype.stray = 'enumerable';
  t.after(() => { delete Object.prototype.stray; });
  const { io, url } = await serve(t, { cors: { origin: '*' } });
  const { client, socket } = await pair(io, url, { transport: 'polling' });
  const got = event(socket, 'x');
  client.emit('x', { own: 1 });
  assert.deepEqual(Object.keys((await got)[0]), ['own']);
  socket.join('room');
  const news = event(client, 'news');
  io.to('room').emit('news', Buffer.from('b'), { own: 2 });
  assert.deepEqual(Object.keys((await news)[1]), ['own']);
});

test('a small flush interval delays nothing beyond it and keeps the order', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { flushIntervalMs: 20 });
  const { client, socket } = await pair(io, url);
  const seen = [];
  client.onAny((name, n) => seen.push(n));
  for (let n = 0; n < 50; n += 1) {
    (n % 2 ? socket : io).emit('n', n);
    if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => seen.length === 50, 'all');
  assert.deepEqual(seen, Array.from({ length: 50 }, (_, n) => n));
});

test('one shard and four serve alike', nativeOnly, async (t) => {
  for (const shards of [1, 4]) {
    const { io, url } = await serve(t, { shards });
    const members = [];
    for (let n = 0; n < 8; n += 1) {
      const ends = await pair(io, url, { transport: n % 2 ? 'polling' : 'websocket' });
      ends.socket.join('room');
      members.push(ends);
    }
    const got = members.map(({ client }) => event(client, 'news'));
    io.to('room').emit('news', shards);
    for (const args of await Promise.all(got)) assert.deepEqual(args, [shards]);
    assert.equal((await io.in('room').fetchSockets()).length, 8);
    assert.equal(io.stats().connections, 8);
  }
});

test('io.stats() counts connections, sockets, rooms and messages', nativeOnly, async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  socket.join('one');
  const got = event(socket, 'x');
  client.emit('x');
  await got;
  const news = event(client, 'news');
  io.emit('news');
  await news;
  await until(() => io.stats().messagesIn >= 1, 'counted');
  const stats = io.stats();
  for (const name of ['connections', 'rooms', 'sockets', 'messagesIn', 'messagesOut', 'bytesIn', 'bytesOut',
    'slowConsumers', 'hostQueueBytes', 'uptimeMs']) {
    assert.equal(typeof stats[name], 'number', name);
  }
  assert.equal(stats.connections, 1);
  assert.equal(stats.sockets, 1);
  assert.equal(stats.rooms, 1, 'own-id rooms are not counted');
  assert.ok(stats.messagesOut >= 1 && stats.bytesIn > 0 && stats.bytesOut > 0);
  assert.equal(stats.slowConsumers, 0);
  client.disconnect();
  await until(() => io.stats().connections === 0 && io.stats().rooms === 0, 'all gone');
});

test('hardOutboxBytes: a client that stops reading is a slow consumer, others miss nothing', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { maxOutboxBytes: 65_536, hardOutboxBytes: 65_536 });
  const slow = await pair(io, url);
  const fast = await pair(io, url);
  for (const { socket } of [slow, fast]) socket.join('room');
  slow.client.io.engine.transport.ws._socket.pause();
  const gone = event(slow.socket, 'disconnect', 10_000);
  let ended = false;
  gone.then(() => { ended = true; }, () => {});
  let received = 0;
  fast.client.on('bulk', () => { received += 1; });
  let sent = 0;
  const text = 'x'.repeat(16_384);
  // The kernel's buffers on both sides take some megabytes before the outbox starts to fill.
  while (!ended && sent < 2000) {
    io.to('room').emit('bulk', text);
    sent += 1;
    await until(() => received === sent, 'the other client keeps receiving');
  }
  const [reason] = await gone;
  assert.equal(reason, 'slow consumer');
  assert.equal(io.of('/').adapter.rooms.get('room').size, 1);
  assert.equal(io.stats().slowConsumers, 1);
  assert.equal(received, sent);
  slow.client.io.engine.transport.ws._socket.resume();
});

test('maxNamespaces bounds what one client may join', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { maxNamespaces: 3 });
  io.of(/^\/n\d+$/);
  const manager = open(url, { autoConnect: false }).io;
  const closed = new Promise((resolve) => manager.on('close', resolve));
  const refused = [];
  for (let n = 0; n < 6; n += 1) {
    const socket = manager.socket(`/n${n}`);
    socket.on('connect_error', () => refused.push(n));
    socket.connect();
  }
  await Promise.race([closed, until(() => refused.length > 0, 'refused or closed')]);
  assert.ok(io.stats().sockets <= 3);
});

test('a keep-alive connection that idles is closed after keepAliveTimeoutMs', nativeOnly, async (t) => {
  const { url, port } = await serve(t, { keepAliveTimeoutMs: 100 });
  const { connect } = await import('node:net');
  const socket = connect(port, '127.0.0.1');
  const ended = event(socket, 'close');
  socket.resume();
  socket.write('GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n');
  await ended;
  assert.equal((await request(`${url}/nowhere`)).status, 404);
});
