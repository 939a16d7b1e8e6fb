// engine.io-client against the engine below Socket.IO: handshake, heartbeat, upgrade, transports, end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Socket as EngineSocket } from 'engine.io-client';
import { WebSocket } from 'ws';
import { serve } from '../support/harness.mjs';
import { enginePath, openPolling, packets, request } from '../support/http.mjs';
import { event, until, within } from '../support/wait.mjs';

function dial(t, url, options = {}) {
  const engine = new EngineSocket(url, { path: '/socket.io/', transports: ['polling', 'websocket'], ...options });
  t.after(() => engine.close());
  return engine;
}

// A raw WebSocket; `next()` gives its messages one by one as text or Buffer.
async function rawSocket(t, url, query = 'EIO=4&transport=websocket') {
  const ws = new WebSocket(url.replace('http', 'ws') + enginePath(query));
  t.after(() => ws.terminate());
  const queue = [];
  const waiting = [];
  ws.on('message', (data, isBinary) => {
    const message = isBinary ? data : data.toString();
    if (waiting.length) waiting.shift()(message);
    else queue.push(message);
  });
  await event(ws, 'open');
  ws.next = () => within(
    queue.length ? Promise.resolve(queue.shift()) : new Promise((resolve) => waiting.push(resolve)),
    'message',
  );
  return ws;
}

test('the open packet has exactly sid, upgrades, pingInterval, pingTimeout and maxPayload', async (t) => {
  const { url } = await serve(t, { pingInterval: 12345, pingTimeout: 6789, maxHttpBufferSize: 54321 });
  const { handshake, answer } = await openPolling(url);
  assert.match(answer.headers['content-type'], /^text\/plain; charset=UTF-8$/i);
  assert.equal(answer.text[0], '0');
  assert.match(handshake.sid, /^[A-Za-z0-9_-]{20}$/);
  assert.deepEqual({ ...handshake, sid: '' }, {
    sid: '', upgrades: ['websocket'], pingInterval: 12345, pingTimeout: 6789, maxPayload: 54321,
  });
  const ws = await rawSocket(t, url);
  const open = JSON.parse((await ws.next()).slice(1));
  assert.deepEqual({ ...open, sid: '' }, {
    sid: '', upgrades: [], pingInterval: 12345, pingTimeout: 6789, maxPayload: 54321,
  });
});

test('the defaults are socket.io\'s', async (t) => {
  const { url } = await serve(t);
  const { handshake } = await openPolling(url);
  assert.equal(handshake.pingInterval, 25000);
  assert.equal(handshake.pingTimeout, 20000);
  assert.equal(handshake.maxPayload, 1e6);
});

test('`upgrades` lists only allowed transports', async (t) => {
  const { url: pollingOnly } = await serve(t, { transports: ['polling'] });
  assert.deepEqual((await openPolling(pollingOnly)).handshake.upgrades, []);
  const { url: never } = await serve(t, { allowUpgrades: false });
  assert.deepEqual((await openPolling(never)).handshake.upgrades, []);
});

test('a transport that is not allowed is refused with code 0', async (t) => {
  const { url } = await serve(t, { transports: ['websocket'] });
  const answer = await request(url + enginePath());
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.json(), { code: 0, message: 'Transport unknown' });
  const ws = await rawSocket(t, url);
  assert.equal((await ws.next())[0], '0');
});

test('polling only: a websocket is refused', async (t) => {
  const { url } = await serve(t, { transports: ['polling'] });
  const ws = new WebSocket(url.replace('http', 'ws') + enginePath('EIO=4&transport=websocket'));
  const [error] = await event(ws, 'error');
  assert.match(error.message, /400/);
});

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
  test(`engine.io-client opens over ${transports.join(' and then ')} and closes cleanly`, async (t) => {
    const { io, url } = await serve(t);
    const engine = dial(t, url, { transports });
    await event(engine, 'open');
    if (transports.length === 2) await event(engine, 'upgrade');
    assert.equal(engine.transport.name, transports.at(-1));
    assert.equal(io.engine.clientsCount, 1);
    const closed = event(engine, 'close');
    engine.close();
    assert.equal((await closed)[0], 'forced close');
    await until(() => io.engine.clientsCount === 0, 'session gone');
  });
}

test('the first ping comes after pingInterval, not before, then one each interval', async (t) => {
  const { url } = await serve(t, { pingInterval: 200, pingTimeout: 2000 });
  const ws = await rawSocket(t, url);
  assert.equal((await ws.next())[0], '0');
  const opened = Date.now();
  assert.equal(await ws.next(), '2');
  const first = Date.now() - opened;
  assert.ok(first >= 170, `first ping after ${first} ms`);
  ws.send('3');
  const answered = Date.now();
  assert.equal(await ws.next(), '2');
  const second = Date.now() - answered;
  assert.ok(second >= 170, `second ping after ${second} ms`);
});

test('a heartbeat that is answered keeps the session, one that is not ends it', async (t) => {
  const { io, url } = await serve(t, { pingInterval: 80, pingTimeout: 500 });
  const faithful = await rawSocket(t, url);
  faithful.on('message', (data) => data.toString() === '2' && faithful.send('3'));
  const silent = await rawSocket(t, url);
  await event(silent, 'close');
  assert.equal(faithful.readyState, WebSocket.OPEN);
  assert.equal(io.engine.clientsCount, 1);
});

test('polling: the ping waits in the open request, and silence ends the session', async (t) => {
  const { io, url } = await serve(t, { pingInterval: 80, pingTimeout: 500 });
  const session = await openPolling(url);
  assert.deepEqual(packets((await session.get()).text), ['2']);
  assert.equal((await session.post('3')).text, 'ok');
  assert.deepEqual(packets((await session.get()).text), ['2']);
  await until(() => io.engine.clientsCount === 0, 'session ended');
  // A poll that comes too late may still be told of the end, once.
  let late = await session.get();
  if (late.text === '1') late = await session.get();
  assert.equal(late.status, 400);
  assert.deepEqual(late.json(), { code: 1, message: 'Session ID unknown' });
});

test('a probe is answered, the open poll is released with a noop, and the upgrade takes effect', async (t) => {
  const { io, url } = await serve(t);
  const session = await openPolling(url);
  const poll = session.get();
  const ws = await rawSocket(t, url, `EIO=4&transport=websocket&sid=${session.sid}`);
  ws.send('2probe');
  assert.equal(await ws.next(), '3probe');
  assert.deepEqual(packets((await poll).text), ['6']);
  ws.send('5');
  ws.send('40');
  const answer = await ws.next();
  assert.match(answer, /^40\{"sid":"[A-Za-z0-9_-]{20}"\}$/);
  assert.equal(io.engine.clientsCount, 1);
});

test('a failed probe leaves polling alive', async (t) => {
  const { io, url } = await serve(t);
  const session = await openPolling(url);
  const ws = await rawSocket(t, url, `EIO=4&transport=websocket&sid=${session.sid}`);
  const closed = event(ws, 'close');
  ws.send('4not a probe');
  await closed;
  assert.equal((await session.post('40')).status, 200);
  assert.match((await session.get()).text, /^40\{"sid"/);
  assert.equal(io.engine.clientsCount, 1);
});

test('a probe that is never completed ends after upgradeTimeout, polling goes on', async (t) => {
  const { url } = await serve(t, { upgradeTimeout: 100 });
  const session = await openPolling(url);
  const ws = await rawSocket(t, url, `EIO=4&transport=websocket&sid=${session.sid}`);
  await event(ws, 'close');
  assert.equal((await session.post('40')).status, 200);
  assert.match((await session.get()).text, /^40\{"sid"/);
});

test('a websocket request with an unknown sid is answered 400 and not upgraded', async (t) => {
  const { url } = await serve(t);
  const ws = new WebSocket(url.replace('http', 'ws') + enginePath('EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA'));
  const [, response] = await Promise.race([event(ws, 'unexpected-response')]);
  assert.equal(response.statusCode, 400);
  ws.on('error', () => {});
  ws.terminate();
});

test('after the upgrade the session no longer answers to polling', async (t) => {
  const { url } = await serve(t);
  const engine = dial(t, url);
  await event(engine, 'upgrade');
  await until(async () => {
    const answer = await request(url + enginePath(`EIO=4&transport=polling&sid=${engine.id}`));
    return answer.status === 400;
  }, 'polling refused');
});

test('the session id of a polling session is required to be its own', async (t) => {
  const { url } = await serve(t);
  const ws = await rawSocket(t, url);
  const { sid } = JSON.parse((await ws.next()).slice(1));
  const answer = await request(url + enginePath(`EIO=4&transport=polling&sid=${sid}`));
  assert.equal(answer.status, 400);
  assert.equal(answer.json().code, 3);
});

test('two hundred session ids are all different', async (t) => {
  const { url } = await serve(t);
  const ids = new Set();
  for (let n = 0; n < 4; n += 1) {
    const batch = await Promise.all(Array.from({ length: 50 }, () => openPolling(url)));
    for (const { sid } of batch) ids.add(sid);
  }
  assert.equal(ids.size, 200);
});

test('a close packet over polling ends the session', async (t) => {
  const { io, url } = await serve(t);
  const session = await openPolling(url);
  assert.equal((await session.post('1')).status, 200);
  await until(() => io.engine.clientsCount === 0, 'session gone');
});
