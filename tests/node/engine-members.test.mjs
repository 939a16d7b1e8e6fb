// io.engine and socket.conn, the layer below, where applications reach into it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Socket as EngineClient } from 'engine.io-client';
import session from 'express-session';
import helmet from 'helmet';
import { WebSocket } from 'ws';
import { connect, open, pair } from '../support/clients.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { enginePath, openPolling, request } from '../support/http.mjs';
import { event, until } from '../support/wait.mjs';

test('socket.conn and socket.request show the connection', async (t) => {
  const { io, url } = await serve(t);
  const { socket } = await pair(io, url, { extraHeaders: { 'x-me': '1' } });
  assert.equal(socket.request.headers['x-me'], '1');
  assert.equal(socket.client.conn, socket.conn);
  assert.equal(socket.conn.protocol, 4);
  assert.match(socket.conn.remoteAddress, /127\.0\.0\.1$/);
});

test('conn.close() ends the connection and conn says so', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const closed = event(socket.conn, 'close');
  const told = event(client, 'disconnect');
  socket.conn.close();
  await closed;
  assert.equal((await told)[0], 'transport close');
  assert.equal(io.engine.clientsCount, 0);
});

test('conn.transport.name follows the upgrade', async (t) => {
  const { io, url } = await serve(t);
  const { socket } = await pair(io, url, { transport: 'upgrade' });
  await until(() => socket.conn.transport.name === 'websocket', 'on websocket');
});

test('io.engine announces each connection', async (t) => {
  const { io, url } = await serve(t);
  const arrived = event(io.engine, 'connection');
  const { sid } = await openPolling(url);
  const [session] = await arrived;
  assert.equal(session.id, sid);
});

test('io.engine.generateId decides the session id', async (t) => {
  const { io, url } = await serve(t);
  let n = 0;
  io.engine.generateId = () => `custom-${(n += 1)}`;
  assert.equal((await openPolling(url)).sid, 'custom-1');
  assert.equal((await openPolling(url)).sid, 'custom-2');
});

// On a server made from a port the core's own listener asks for the middleware's word.
for (const [kind, start] of [['port', serve], ['httpServer', serveAttached]]) {
  test(`io.engine.use installs middleware of the express kind on every request: ${kind}`, async (t) => {
    const { io, url } = await start(t);
    const seen = [];
    io.engine.use((incoming, response, next) => {
      seen.push(incoming.method);
      if (incoming.headers['x-block']) {
        response.writeHead(418, { 'x-why': 'tea' });
        response.end('teapot');
      } else {
        next();
      }
    });
    const refused = await request(url + enginePath(), { headers: { 'x-block': '1' } });
    assert.equal(refused.status, 418);
    assert.equal(refused.headers['x-why'], 'tea');
    assert.equal(refused.text, 'teapot');
    const { client } = await pair(io, url);
    assert.equal(client.connected, true);
    assert.deepEqual(seen, ['GET', 'GET']);
    const blocked = open(url, { extraHeaders: { 'x-block': '1' } });
    await event(blocked, 'connect_error');
  });

  test(`middleware that fails refuses the request and is told of: ${kind}`, async (t) => {
    const { io, url } = await start(t);
    io.engine.use((_incoming, _response, next) => next(new Error('no')));
    const told = event(io.engine, 'connection_error');
    const refused = await request(url + enginePath());
    assert.equal(refused.status, 400);
    assert.deepEqual(JSON.parse(refused.text), { code: 3, message: 'Bad request' });
    const [{ code, context }] = await told;
    assert.equal(code, 3);
    assert.equal(context.name, 'MIDDLEWARE_FAILURE');
  });

  test(`express-session and helmet work as io.engine middleware: ${kind}`, async (t) => {
    const { io, url } = await start(t);
    const visits = [];
    io.engine.use(helmet());
    io.engine.use(session({ secret: 'made up', resave: false, saveUninitialized: true }));
    io.engine.use((incoming, _response, next) => {
      incoming.session.visits = (incoming.session.visits ?? 0) + 1;
      visits.push(incoming.session.visits);
      next();
    });
    const first = await request(url + enginePath());
    assert.equal(first.status, 200);
    assert.equal(first.headers['x-content-type-options'], 'nosniff');
    const [cookie] = first.headers['set-cookie'][0].split(';');
    assert.match(cookie, /^connect\.sid=/);
    await request(url + enginePath(), { headers: { cookie } });
    for (const transport of ['websocket', 'polling']) {
      const { socket } = await pair(io, url, { transport, extraHeaders: { cookie } });
      // What middleware put on the request is there for the socket's handlers.
      assert.equal(socket.request.session.visits, 3);
      assert.equal(socket.conn.request, socket.request);
      socket.disconnect(true);
      assert.ok(socket.request.session);
    }
    // An upgrade has no response whose end would save the session.
    assert.deepEqual(visits.slice(0, 4), [1, 2, 3, 3]);
  });

  test(`a session that begins with a WebSocket gets its cookie: ${kind}`, async (t) => {
    const { io, url } = await start(t);
    io.engine.use(session({ secret: 'made up', resave: false, saveUninitialized: true }));
    const ws = new WebSocket(`${url.replace('http', 'ws')}${enginePath('EIO=4&transport=websocket')}`);
    const [response] = await event(ws, 'upgrade');
    assert.match(String(response.headers['set-cookie']), /^connect\.sid=/);
    ws.terminate();
  });
}

test('the connection that io.engine announced is the one of the socket, and follows its life', async (t) => {
  const { io, url } = await serve(t);
  const arrived = event(io.engine, 'connection');
  const joined = event(io, 'connection');
  const client = await connect(url, { transport: 'polling' });
  const [[raw], [socket]] = [await arrived, await joined];
  assert.equal(socket.conn, raw);
  assert.equal(raw.id, socket.client.id);
  assert.equal(raw.readyState, 'open');
  assert.equal(raw.transport.name, 'polling');
  assert.equal(raw.upgraded, false);
  const closed = event(raw, 'close');
  client.disconnect();
  await closed;
  assert.equal(raw.readyState, 'closed');
});

test('an announced connection tells of its upgrade', async (t) => {
  const { io, url } = await serve(t);
  const arrived = event(io.engine, 'connection');
  const client = open(url, { transport: 'upgrade' });
  const [raw] = await arrived;
  const [transport] = await event(raw, 'upgrade');
  assert.equal(transport.name, 'websocket');
  assert.equal(raw.upgraded, true);
  client.disconnect();
});

test('an announced connection may be closed before its client has joined a namespace', async (t) => {
  const { io, url } = await serve(t);
  const told = new Promise((resolve) => {
    io.engine.once('connection', (raw) => {
      raw.on('close', resolve);
      raw.close();
    });
  });
  const client = open(url);
  await told;
  await until(() => io.engine.clientsCount === 0, 'no connection is left');
  client.disconnect();
});

test('initialPacket goes out first on every transport', async (t) => {
  const { url } = await serve(t, { initialPacket: 'first words' });
  for (const transport of ['polling', 'websocket']) {
    const socket = new EngineClient(url, { transports: [transport], path: '/socket.io' });
    assert.deepEqual(await event(socket, 'message'), ['first words'], transport);
    socket.close();
  }
});

test('the attributes of the cookie are those of the cookie package', async (t) => {
  const expires = new Date(Date.UTC(2030, 0, 2, 3, 4, 5));
  const { url } = await serve(t, { cookie: { name: 'k', expires, partitioned: true, priority: 'high', secure: true } });
  const [header] = (await openPolling(url)).answer.headers['set-cookie'];
  const attributes = header.split('; ').slice(1).sort();
  assert.deepEqual(attributes, [
    'Expires=Wed, 02 Jan 2030 03:04:05 GMT', 'HttpOnly', 'Partitioned', 'Path=/', 'Priority=High', 'SameSite=Lax', 'Secure',
  ]);
});
