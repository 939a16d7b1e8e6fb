// A server beside an application's own routes on a Node HTTP server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as tcpConnect } from 'node:net';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { TRANSPORTS, closeClients, connect, pair, upgraded } from '../support/clients.mjs';
import { serveAttached } from '../support/harness.mjs';
import { enginePath, openPolling, request } from '../support/http.mjs';
import { Server, nativeOnly } from '../support/subject.mjs';
import { deferred, event, until, within } from '../support/wait.mjs';

function application() {
  return createServer((incoming, response) => {
    const chunks = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-app': 'rest' });
      response.end(JSON.stringify({ url: incoming.url, method: incoming.method, size: Buffer.concat(chunks).length }));
    });
  });
}

for (const transport of Object.keys(TRANSPORTS)) {
  test(`${transport} clients and REST routes share one port`, async (t) => {
    const { io, url } = await serveAttached(t, {}, application());
    const { client, socket } = await pair(io, url, { transport });
    if (transport === 'upgrade') await upgraded(client);
    socket.on('echo', (x, bytes, ack) => ack(x, bytes));
    const rest = await request(`${url}/api/users?q=1`, { method: 'POST', body: 'x'.repeat(100_000) });
    assert.deepEqual(rest.json(), { url: '/api/users?q=1', method: 'POST', size: 100_000 });
    assert.equal(rest.headers['x-app'], 'rest');
    const answer = deferred();
    client.emit('echo', 'é😀', Buffer.from([1, 2]), (...args) => answer.resolve(args));
    const [text, bytes] = await within(answer.promise, 'echo');
    assert.equal(text, 'é😀');
    assert.deepEqual(Buffer.from(bytes), Buffer.from([1, 2]));
    const got = event(client, 'all');
    io.emit('all');
    await got;
  });

  test(`big messages both ways over ${transport} through Node's server`, async (t) => {
    const { io, url } = await serveAttached(t, { maxHttpBufferSize: 4e6 }, application());
    const { client, socket } = await pair(io, url, { transport });
    const text = 'é€😀x'.repeat(50_000);
    const up = event(socket, 'big');
    client.emit('big', text);
    assert.ok((await up)[0] === text);
    const down = event(client, 'big');
    socket.emit('big', text);
    assert.ok((await down)[0] === text);
  });
}

test('attach(), listen() and bind-to-later: a server made without a port is attached afterwards', async (t) => {
  for (const method of ['attach', 'listen']) {
    const httpServer = application();
    const io = new Server();
    io[method](httpServer);
    httpServer.listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    t.after(() => new Promise((resolve) => io.close(resolve)));
    const { client } = await pair(io, `http://127.0.0.1:${httpServer.address().port}`);
    assert.equal(client.connected, true);
    assert.equal(io.httpServer, httpServer);
    closeClients();
  }
});

test('a server can be attached while the http server already listens', async (t) => {
  const httpServer = application();
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const io = new Server(httpServer);
  t.after(() => {
    closeClients();
    return new Promise((resolve) => io.close(resolve));
  });
  const url = `http://127.0.0.1:${httpServer.address().port}`;
  for (const transport of Object.keys(TRANSPORTS)) {
    const { client } = await pair(io, url, { transport });
    assert.equal(client.connected, true);
  }
  assert.equal((await request(`${url}/rest`)).json().url, '/rest');
});

test('the path option moves the server, with and without a trailing slash given', async (t) => {
  for (const path of ['/live', '/deep/er/']) {
    const { io, url } = await serveAttached(t, { path }, application());
    for (const transport of Object.keys(TRANSPORTS)) {
      const { client } = await pair(io, url, { transport, path });
      assert.equal(client.connected, true);
    }
    assert.equal((await request(url + enginePath())).headers['x-app'], 'rest');
  }
});

test('a trailing slash is required unless addTrailingSlash is false', async (t) => {
  const { url } = await serveAttached(t, {}, application());
  assert.equal((await request(`${url}/socket.io?EIO=4&transport=polling`)).headers['x-app'], 'rest');
  assert.equal((await request(`${url}/socket.iox/?EIO=4&transport=polling`)).headers['x-app'], 'rest');
  const loose = await serveAttached(t, { addTrailingSlash: false }, application());
  const answer = await request(`${loose.url}/socket.io?EIO=4&transport=polling`);
  assert.equal(answer.status, 200);
  assert.equal(answer.text[0], '0');
  for (const transport of Object.keys(TRANSPORTS)) {
    const { client } = await pair(loose.io, loose.url, { transport, addTrailingSlash: false });
    assert.equal(client.connected, true);
  }
});

test('upgrade listeners of other WebSocket servers on the same port stay untouched', async (t) => {
  const httpServer = application();
  const others = new WebSocketServer({ noServer: true });
  httpServer.on('upgrade', (incoming, socket, head) => {
    if (incoming.url !== '/other') return;
    others.handleUpgrade(incoming, socket, head, (ws) => ws.on('message', (data) => ws.send(`other ${data}`)));
  });
  const { io, url } = await serveAttached(t, {}, httpServer);
  const other = new WebSocket(`${url.replace('http', 'ws')}/other`);
  t.after(() => other.terminate());
  await event(other, 'open');
  const { client } = await pair(io, url);
  const echoed = event(other, 'message');
  other.send('hello');
  assert.equal((await echoed)[0].toString(), 'other hello');
  assert.equal(client.connected, true);
  other.close();
  await event(other, 'close');
});

test('an upgrade nobody handles is ended after destroyUpgradeTimeout', async (t) => {
  const { url } = await serveAttached(t, { destroyUpgradeTimeout: 100 }, application());
  const ws = new WebSocket(`${url.replace('http', 'ws')}/nobody`);
  const [error] = await event(ws, 'error');
  assert.ok(error instanceof Error);
});

test('request listeners added before and after the server both keep working', async (t) => {
  const httpServer = createServer();
  const seen = [];
  httpServer.on('request', (incoming, response) => {
    seen.push(incoming.url);
    response.end('first');
  });
  const { io, url } = await serveAttached(t, {}, httpServer);
  const { client } = await pair(io, url, { transport: 'polling' });
  assert.equal((await request(`${url}/a`)).text, 'first');
  assert.deepEqual(seen, ['/a']);
  assert.equal(client.connected, true);
});

const UPGRADE = Buffer.from(
  `GET ${enginePath('EIO=4&transport=websocket')} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
  + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
);
// A masked text frame with `40`, the CONNECT of the main namespace.
const CONNECT_FRAME = Buffer.from([0x81, 0x82, 1, 2, 3, 4, 0x34 ^ 1, 0x30 ^ 2]);

// A bare TCP connection; `seen()` is everything that came.
async function bare(t, port) {
  const socket = tcpConnect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
  await event(socket, 'connect');
  return { socket, seen: () => text };
}

test('a REST keep-alive connection can turn into a WebSocket', async (t) => {
  const { port } = await serveAttached(t, {}, application());
  const { socket, seen } = await bare(t, port);
  socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => seen().includes('"size":0}'), 'REST answer');
  socket.write(UPGRADE);
  await until(() => seen().includes('"sid":"'), 'open packet');
  assert.match(seen(), /HTTP\/1\.1 101 [^]*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
  socket.write(CONNECT_FRAME);
  await until(() => seen().includes('40{"sid":"'), 'CONNECT answer');
  // This client would not answer the close frame of a server that shuts down.
  socket.destroy();
});

// engine.io loses what arrives before it has made the session.
test('a frame sent along with the upgrade request is not lost', nativeOnly, async (t) => {
  const { port } = await serveAttached(t, {}, application());
  const { socket, seen } = await bare(t, port);
  socket.write(Buffer.concat([UPGRADE, CONNECT_FRAME]));
  await until(() => seen().includes('40{"sid":"'), 'CONNECT answer');
});

test('io.close() closes the http server it was attached to', async (t) => {
  const { io, httpServer, url } = await serveAttached(t, {}, application());
  const { client } = await pair(io, url);
  const told = event(client, 'disconnect');
  const closed = once(httpServer, 'close');
  await within(Promise.resolve(io.close()), 'io.close()');
  await within(closed, 'http server close');
  await told;
  assert.equal(httpServer.listening, false);
});

test('polling through Node answers with the engine\'s headers and keeps sessions apart', async (t) => {
  const { io, url } = await serveAttached(t, { cors: { origin: 'http://app.example' } }, application());
  const sessions = await Promise.all([openPolling(url), openPolling(url), openPolling(url)]);
  assert.equal(io.engine.clientsCount, 3);
  assert.equal(sessions[0].answer.headers['access-control-allow-origin'], 'http://app.example');
  assert.equal(sessions[0].answer.headers['cache-control'], 'no-store');
  for (const session of sessions) assert.equal((await session.post('40')).text, 'ok');
  const texts = await Promise.all(sessions.map((session) => session.get()));
  assert.equal(new Set(texts.map(({ text }) => text)).size, 3);
});

test('a request the client gives up leaves the server working', async (t) => {
  const { url, io, port } = await serveAttached(t, {}, application());
  const session = await openPolling(url);
  const socket = tcpConnect(port, '127.0.0.1');
  socket.on('error', () => {});
  await event(socket, 'connect');
  socket.write(`GET ${new URL(session.at).pathname}${new URL(session.at).search} HTTP/1.1\r\nHost: x\r\n\r\n`);
  socket.destroy();
  await until(() => io.engine.clientsCount === 0, 'session of the vanished client ended');
  assert.equal((await connect(url)).connected, true);
});

test('an upgrade whose client resets its connection at once harms nobody', async (t) => {
  const { io, url, port, httpServer } = await serveAttached(t, {}, application());
  const upgraded = deferred();
  let upgrades = 0;
  httpServer.prependListener('upgrade', () => {
    upgrades += 1;
    if (upgrades === 20) setImmediate(upgraded.resolve);
  });
  for (let n = 0; n < 20; n += 1) {
    const tcp = tcpConnect(port, '127.0.0.1');
    await once(tcp, 'connect');
    // Both are there before the server gets to read.
    await new Promise((resolve) => tcp.write(
      `GET ${enginePath('EIO=4&transport=websocket')} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      resolve,
    ));
    tcp.resetAndDestroy();
  }
  await within(upgraded.promise, 'upgrades');
  const { client } = await pair(io, url);
  assert.equal(client.connected, true);
  await until(() => io.engine.clientsCount === 1, 'the others gone');
});
