// bindNative: in which ways a server may be made, and what is refused.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import * as esm from '../../node-binding/index.mjs';
import { Server } from 'socket.io';
import { TRANSPORTS, connect } from '../support/clients.mjs';
import { request } from '../support/http.mjs';
import { event } from '../support/wait.mjs';
import { bindNative, bound, countWrites, listening, settled } from './support/bound.mjs';

const plain = () => createServer((_req, res) => res.writeHead(404).end('application 404'));
const options = { transports: ['polling', 'websocket'], cors: { origin: 'https://example.org' } };

// Each gives a server and its HTTP server.
const ways = {
  'new Server(httpServer, options), then bindNative': () => {
    const http = plain();
    return [bindNative(new Server(http, options)), http];
  },
  'new Server(port), then bindNative': () => {
    const io = bindNative(new Server(0, options));
    return [io, io.httpServer];
  },
  'new Server(options), bindNative, io.listen(port)': () => {
    const io = bindNative(new Server(options));
    io.listen(0);
    return [io, io.httpServer];
  },
  'new Server(options), bindNative, io.attach(httpServer)': () => {
    const http = plain();
    const io = bindNative(new Server(options));
    io.attach(http);
    return [io, http];
  },
  'new Server(options), io.attach(httpServer), then bindNative': () => {
    const http = plain();
    const io = new Server(options);
    io.attach(http);
    return [bindNative(io), http];
  },
};

for (const [way, make] of Object.entries(ways)) {
  test(`${way}: clients are served by the core over each transport`, async (t) => {
    const [io, http] = make();
    const { url } = await listening(t, io, http);
    io.on('connection', (socket) => {
      socket.join('room');
      socket.on('echo', (value, ack) => ack(value));
    });
    const clients = [];
    for (const transport of Object.keys(TRANSPORTS)) clients.push(await connect(url, { transport }));
    const { connections, sockets } = io.engine.stats();
    assert.deepEqual([connections, sockets, io.engine.clientsCount], [3, 3, 3]);
    for (const client of clients) assert.deepEqual(await client.emitWithAck('echo', { a: 1 }), { a: 1 });
    const count = countWrites(io);
    const heard = clients.map((client) => event(client, 'hello'));
    io.to('room').emit('hello', 'you');
    assert.deepEqual(await Promise.all(heard), [['you'], ['you'], ['you']]);
    assert.equal(count.writes, 0, 'nothing is written per recipient');
  });
}

test('bindNative returns the server, from require and from import', (t) => {
  const io = new Server();
  assert.equal(esm.bindNative(io), io);
  t.after(() => assert.equal(typeof bindNative, 'function'));
});

test('routes of the application, the client bundle and CORS stay what they were', async (t) => {
  const { url } = await bound(t, { options });
  assert.equal((await request(`${url}/other`)).text, 'application 404');
  const bundle = await request(`${url}/socket.io/socket.io.js`);
  assert.equal(bundle.status, 200);
  assert.match(bundle.text, /Socket\.IO v4/);
  const poll = await request(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { origin: 'https://a.example' } });
  assert.equal(poll.headers['access-control-allow-origin'], 'https://example.org');
});

test('cors as a function, which only JavaScript can run', async (t) => {
  const origin = (asked, callback) => callback(null, asked === 'https://good.example');
  const { url } = await bound(t, { options: { cors: { origin } } });
  const at = `${url}/socket.io/?EIO=4&transport=polling`;
  const good = await request(at, { headers: { origin: 'https://good.example' } });
  assert.equal(good.headers['access-control-allow-origin'], 'https://good.example');
  const bad = await request(at, { headers: { origin: 'https://bad.example' } });
  assert.equal(bad.headers['access-control-allow-origin'], undefined);
});

test('two HTTP servers on one path share the core; another path is refused', async (t) => {
  const { io, url, httpServer } = await bound(t);
  const second = plain();
  io.attach(second);
  second.listen(0, '127.0.0.1');
  await once(second, 'listening');
  // io.close() closes the last one.
  t.after(() => httpServer.close());
  const a = await connect(url);
  const b = await connect(`http://127.0.0.1:${second.address().port}`);
  const heard = [event(a, 'hello'), event(b, 'hello')];
  io.emit('hello');
  await Promise.all(heard);
  await settled(io, [a, b]);
  assert.throws(() => io.attach(plain(), { path: '/other' }), { code: 'ERR_KRAKEN_WS_UNSUPPORTED', message: /\/other/ });
});

test('listeners, middlewares and ids that the engine was given before stay', async (t) => {
  const http = plain();
  const io = new Server(http);
  const seen = [];
  io.engine.on('connection_error', (error) => seen.push(error.code));
  io.engine.once('initial_headers', (headers) => (headers['x-initial'] = 'yes'));
  io.engine.generateId = () => 'chosen';
  io.engine.use((req, res, next) => {
    req.marked = true;
    next();
  });
  bindNative(io);
  const { url } = await listening(t, io, http);
  const arrived = event(io, 'connection');
  const opened = await request(`${url}/socket.io/?EIO=4&transport=polling`);
  assert.equal(opened.headers['x-initial'], 'yes');
  assert.equal(JSON.parse(opened.text.slice(1)).sid, 'chosen');
  assert.equal((await request(`${url}/socket.io/?EIO=4&transport=polling&sid=nobody`)).status, 400);
  assert.deepEqual(seen, [1]);
  io.engine.generateId = undefined;
  await connect(url);
  const [socket] = await arrived;
  assert.equal(socket.request.marked, true);
});

test('what is no server of socket.io is refused', () => {
  for (const wrong of [undefined, null, 1, 'io', {}, { bind() {} }, createServer(), new esm.Server()]) {
    assert.throws(() => bindNative(wrong), { code: 'ERR_KRAKEN_WS_ARGUMENT', message: /socket\.io 4/ });
  }
});

test('a server is bound once', () => {
  const io = bindNative(new Server());
  assert.throws(() => bindNative(io), { code: 'ERR_KRAKEN_WS_UNSUPPORTED', message: /bound already/ });
});

test('a server with clients is refused and goes on as it was', async (t) => {
  const http = plain();
  const io = new Server(http);
  const { url } = await listening(t, io, http);
  const client = await connect(url);
  assert.throws(() => bindNative(io), { code: 'ERR_KRAKEN_WS_UNSUPPORTED', message: /clients are connected/ });
  const heard = event(client, 'still');
  io.emit('still');
  await heard;
});

test('engines of another kind are refused', () => {
  const own = new Server();
  own.bind(Object.assign(createServer(), { clientsCount: 0 }));
  assert.throws(() => bindNative(own), { code: 'ERR_KRAKEN_WS_UNSUPPORTED', message: /another kind/ });
  const io = bindNative(new Server());
  assert.throws(() => io.attachApp({}), { code: 'ERR_KRAKEN_WS_UNSUPPORTED', message: /attachApp/ });
});

test('options are checked at once, by name', () => {
  const wrong = [
    [{ pingTimeout: 'fast' }, {}, /pingTimeout/],
    [{ pingTimeout: Infinity }, {}, /pingTimeout: expected a finite number, got Infinity/],
    [{}, { maxOutboxBytes: NaN }, /maxOutboxBytes: expected a finite number, got NaN/],
    [{ transports: ['webtransport'] }, {}, /transports/],
    [{}, { shards: -1 }, /shards/],
    [{}, { maxOutboxBytes: '1mb' }, /maxOutboxBytes/],
    [{}, { pingTimeout: 1 }, /pingTimeout: expected one of shards/],
    [{}, null, /options: expected an object/],
    [{}, 7, /options: expected an object/],
  ];
  for (const [given, native, message] of wrong) {
    assert.throws(() => bindNative(new Server(given), native), { code: 'ERR_KRAKEN_WS_OPTION', message });
  }
  const http = plain();
  assert.throws(() => bindNative(new Server(http, { pingInterval: -1 })), { code: 'ERR_KRAKEN_WS_OPTION' });
});
