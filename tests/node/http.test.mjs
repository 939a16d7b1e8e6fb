// What plain HTTP sees of the engine: refusals with their codes, limits, headers, cookies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { enginePath, openPolling, packets, request } from '../support/http.mjs';
import { event, until } from '../support/wait.mjs';

const post = (body) => ({ method: 'POST', body, headers: { 'content-type': 'text/plain' } });

// code, message, the request that earns them
const REFUSALS = [
  [0, 'Transport unknown', 'EIO=4&transport=pigeon', {}],
  [0, 'Transport unknown', 'EIO=4', {}],
  [0, 'Transport unknown', 'EIO=4&transport=__proto__', {}],
  [1, 'Session ID unknown', 'EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA', {}],
  [1, 'Session ID unknown', 'EIO=4&transport=polling&sid=constructor', post('40')],
  [2, 'Bad handshake method', 'EIO=4&transport=polling', post('40')],
  [2, 'Bad handshake method', 'EIO=4&transport=polling', { method: 'PUT', body: 'x' }],
  [3, 'Bad request', 'EIO=4&transport=websocket', {}],
  [5, 'Unsupported protocol version', 'EIO=3&transport=polling', {}],
];

for (const [code, message, query, options] of REFUSALS) {
  test(`${options.method || 'GET'} ?${query} is refused with code ${code}, and io.engine tells`, async (t) => {
    const { io, url } = await serve(t);
    const told = event(io.engine, 'connection_error');
    const answer = await request(url + enginePath(query), options);
    assert.equal(answer.status, 400);
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.deepEqual(answer.json(), { code, message });
    const [error] = await told;
    assert.equal(error.code, code);
    assert.equal(error.message, message);
    assert.ok(error.req);
    assert.equal(typeof error.context, 'object');
    assert.equal(io.engine.clientsCount, 0);
  });
}

test('allowRequest refuses with 403, code 4 and its message, for polling and websocket', async (t) => {
  const { io, url } = await serve(t, {
    allowRequest: (incoming, callback) => setImmediate(callback, 'not today', incoming.headers['x-token'] === 'yes'),
  });
  const told = event(io.engine, 'connection_error');
  const answer = await request(url + enginePath());
  assert.equal(answer.status, 403);
  assert.deepEqual(answer.json(), { code: 4, message: 'not today' });
  const [error] = await told;
  assert.equal(error.code, 4);
  assert.equal(error.message, 'Forbidden');
  assert.deepEqual(error.context, { message: 'not today' });

  const ws = new WebSocket(url.replace('http', 'ws') + enginePath('EIO=4&transport=websocket'));
  ws.on('error', () => {});
  const [, response] = await event(ws, 'unexpected-response');
  // engine.io answers a refused upgrade with 400 whatever the reason.
  assert.ok([400, 403].includes(response.statusCode), `status ${response.statusCode}`);
  response.destroy();

  for (const transport of ['websocket', 'polling']) {
    const { client } = await pair(io, url, { transport, extraHeaders: { 'x-token': 'yes' } });
    assert.equal(client.connected, true);
  }
});

test('allowRequest sees method, url and headers', async (t) => {
  const seen = [];
  const { url } = await serve(t, {
    allowRequest: (incoming, callback) => {
      seen.push([incoming.method, incoming.url, incoming.headers['x-a']]);
      callback(null, true);
    },
  });
  await request(`${url}/socket.io/?EIO=4&transport=polling&t=1`, { headers: { 'X-A': 'b' } });
  assert.deepEqual(seen, [['GET', '/socket.io/?EIO=4&transport=polling&t=1', 'b']]);
});

test('polling answers are not to be stored', async (t) => {
  const { url } = await serve(t);
  const session = await openPolling(url);
  assert.equal(session.answer.headers['cache-control'], 'no-store');
  const posted = await session.post('40');
  assert.equal(posted.headers['cache-control'], 'no-store');
  assert.equal(posted.headers['content-type'], 'text/html');
  const polled = await session.get();
  assert.equal(polled.headers['cache-control'], 'no-store');
  assert.equal(polled.headers['content-length'], String(polled.body.length));
});

test('a POST beyond maxHttpBufferSize is 413 and the session lives', async (t) => {
  const { io, url } = await serve(t, { maxHttpBufferSize: 1000 });
  const arrived = event(io, 'connection');
  const session = await openPolling(url);
  await session.post('40');
  const [socket] = await arrived;
  await session.get();
  assert.equal((await session.post('4'.repeat(1001))).status, 413);
  const got = event(socket, 'still');
  assert.equal((await session.post('42["still","here"]')).status, 200);
  assert.deepEqual(await got, ['here']);
  assert.equal(socket.connected, true);
});

test('a POST of exactly maxHttpBufferSize is taken, also when it comes in chunks without a length', async (t) => {
  const { io, url } = await serve(t, { maxHttpBufferSize: 1000 });
  const arrived = event(io, 'connection');
  const session = await openPolling(url);
  await session.post('40');
  const [socket] = await arrived;
  const frame = (size) => `42["x","${'y'.repeat(size - '42["x",""]'.length)}"]`;
  const got = event(socket, 'x');
  const chunked = { headers: { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' } };
  assert.equal((await session.post(frame(1000), chunked)).status, 200);
  assert.equal((await got)[0].length, 1000 - '42["x",""]'.length);
  assert.equal((await session.post(frame(1001), chunked)).status, 413);
});

test('a WebSocket message beyond maxHttpBufferSize closes that client and no other', async (t) => {
  const { io, url } = await serve(t, { maxHttpBufferSize: 1000 });
  const big = await pair(io, url);
  const small = await pair(io, url);
  const gone = event(big.socket, 'disconnect');
  big.client.emit('x', 'y'.repeat(2000));
  const [reason] = await gone;
  assert.ok(['transport error', 'transport close'].includes(reason), reason);
  const alive = event(small.socket, 'x');
  small.client.emit('x', 'y'.repeat(900));
  await alive;
});

test('two concurrent GETs on a session close it', async (t) => {
  const { io, url } = await serve(t);
  const arrived = event(io, 'connection');
  const session = await openPolling(url);
  await session.post('40');
  const [socket] = await arrived;
  await session.get();
  const gone = event(socket, 'disconnect');
  const [one, two] = await Promise.all([session.get(), session.get()]);
  assert.ok([one.status, two.status].includes(400), `${one.status} and ${two.status}`);
  assert.equal((await gone)[0], 'transport error');
  assert.equal((await session.get()).status, 400);
});

test('several packets in one POST and one answer are kept apart', async (t) => {
  const { io, url } = await serve(t);
  const arrived = event(io, 'connection');
  const session = await openPolling(url);
  await session.post('40');
  const [socket] = await arrived;
  const seen = [];
  socket.onAny((name, n) => seen.push([name, n]));
  await session.get();
  await session.post('42["a",1]\u001e42["b",2]\u001e42["c","é"]');
  await until(() => seen.length === 3, 'three events');
  assert.deepEqual(seen, [['a', 1], ['b', 2], ['c', 'é']]);
  for (const n of [1, 2, 3]) socket.emit('n', n);
  const got = [];
  while (got.length < 3) got.push(...packets((await session.get()).text));
  assert.deepEqual(got, ['42["n",1]', '42["n",2]', '42["n",3]']);
});

test('a path that is not ours is 404', async (t) => {
  const { url } = await serve(t, { serveClient: false });
  for (const path of ['/', '/other', '/socket.iox/?EIO=4&transport=polling', '/socket.io']) {
    assert.equal((await request(url + path)).status, 404, path);
  }
});

test('initial_headers adds to the first answer, headers to every one', async (t) => {
  const { io, url } = await serve(t);
  io.engine.on('initial_headers', (headers, incoming) => {
    headers['x-initial'] = incoming.headers['x-ask'] || 'none';
    headers['set-cookie'] = ['one=1', 'two=2'];
  });
  io.engine.on('headers', (headers) => { headers['x-every'] = 'yes'; });
  const session = await openPolling(url, { 'x-ask': 'asked' });
  assert.equal(session.answer.headers['x-initial'], 'asked');
  assert.deepEqual(session.answer.headers['set-cookie'], ['one=1', 'two=2']);
  assert.equal(session.answer.headers['x-every'], 'yes');
  const posted = await session.post('40');
  assert.equal(posted.headers['x-initial'], undefined);
  assert.equal(posted.headers['x-every'], 'yes');
  assert.equal((await session.get()).headers['x-every'], 'yes');

  const ws = new WebSocket(url.replace('http', 'ws') + enginePath('EIO=4&transport=websocket'));
  t.after(() => ws.terminate());
  const [response] = await event(ws, 'upgrade');
  assert.equal(response.headers['x-initial'], 'none');
  assert.equal(response.headers['x-every'], 'yes');
});

test('the cookie option: true, a name, and attributes', async (t) => {
  const cases = [
    [true, /^io=<sid>; Path=\/; HttpOnly; SameSite=Lax$/],
    [{ name: 'kraken' }, /^kraken=<sid>; Path=\/; HttpOnly; SameSite=Lax$/],
    [{ name: 'k', path: '/x', httpOnly: false, sameSite: 'strict', secure: true, maxAge: 60, domain: 'a.example' },
      /^k=<sid>; Max-Age=60; Domain=a\.example; Path=\/x; Secure; SameSite=Strict$/],
  ];
  for (const [cookie, expected] of cases) {
    const { url } = await serve(t, { cookie });
    const session = await openPolling(url);
    const [header] = session.answer.headers['set-cookie'];
    assert.match(header.replace(session.sid, '<sid>'), expected);
    assert.equal((await session.post('40')).headers['set-cookie'], undefined);
  }
  const { url } = await serve(t);
  assert.equal((await openPolling(url)).answer.headers['set-cookie'], undefined);
});

test('a packet for a namespace that was not joined closes the client', async (t) => {
  const { io, url } = await serve(t);
  io.of('/other');
  const { client, socket } = await pair(io, url);
  const gone = event(socket, 'disconnect');
  client.io.engine.write('42/other,["x"]');
  assert.ok(['forced close', 'transport close'].includes((await gone)[0]));
  await until(() => io.engine.clientsCount === 0, 'closed');
});

const GARBAGE = [
  '49', '4', '4é', '44', '4999["x"]', '42{"not":"a list"}', '42[]', '42[', '42["a"', '42[null]', '45x-["a"]', '45["a"]',
  '40{"a":', '42["connect"]', '42["disconnect"]', '42["newListener"]',
];

test('garbage after the handshake closes that client and no other', async (t) => {
  const { io, url } = await serve(t);
  const { client: good, socket } = await pair(io, url);
  for (const garbage of GARBAGE) {
    const bad = await pair(io, url);
    const gone = event(bad.socket, 'disconnect');
    bad.client.io.engine.write(garbage.slice(1));
    const [reason] = await gone.catch(() => assert.fail(`${garbage} was not answered by closing`));
    assert.equal(reason, 'forced close', garbage);
  }
  const alive = event(socket, 'alive');
  good.emit('alive');
  await alive;
  await until(() => io.engine.clientsCount === 1, 'only the good one is left');
});
