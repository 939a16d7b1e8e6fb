// Upgrade requests: who gets a 101 and who gets which refusal.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isNative } from '../support/subject.mjs';
import { text } from './support/frames.mjs';
import { readResponse, requestText } from './support/http.mjs';
import { PollingSession } from './support/polling.mjs';
import { Neighbour, SocketIoClient } from './support/socketio.mjs';
import { startServer } from './support/server.mjs';
import { Tcp } from './support/tcp.mjs';
import { handshakeHeaders, WebSocketClient, WS_TARGET } from './support/websocket.mjs';

const server = await startServer();
after(() => server.close());
const neighbour = await Neighbour.join(server.port);

/** Sends an upgrade request and gives the refusal, after which the connection has to end. */
async function refusal(target, headers, method = 'GET') {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText(method, target, handshakeHeaders(headers)));
  const response = await readResponse(tcp);
  assert.notEqual(response.status, 101);
  await tcp.end();
  return response;
}

function refuses(name, target, headers, check) {
  test(name, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => check(await refusal(target, headers))));
}

const badRequest = (response) => assert.equal(response.status, 400);

refuses('no Sec-WebSocket-Key is a bad request', WS_TARGET, { 'Sec-WebSocket-Key': undefined }, badRequest);
refuses('an empty Sec-WebSocket-Key is a bad request', WS_TARGET, { 'Sec-WebSocket-Key': '' }, badRequest);
refuses('a Sec-WebSocket-Key that is not 16 bytes is a bad request', WS_TARGET, { 'Sec-WebSocket-Key': 'c2hvcnQ=' }, badRequest);
refuses('a Sec-WebSocket-Key that is not base64 is a bad request', WS_TARGET, { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }, badRequest);

// ws answers 400, RFC 6455 §4.4 asks for 426; both have to name the version they speak.
function wrongVersion(response) {
  assert.ok([400, 426].includes(response.status), `status ${response.status}`);
  assert.match(response.headers['sec-websocket-version'], /\b13\b/);
}
refuses('no Sec-WebSocket-Version is refused with the supported one', WS_TARGET, { 'Sec-WebSocket-Version': undefined }, wrongVersion);
refuses('Sec-WebSocket-Version 12 is refused with the supported one', WS_TARGET, { 'Sec-WebSocket-Version': '12' }, wrongVersion);

refuses('an upgrade to something else than websocket is a bad request', WS_TARGET, { Upgrade: 'h2c' }, badRequest);

// A refused upgrade carries Engine.IO's message; the code reaches the host's `connection_error`.
function refusesWithCode(name, target, code, message) {
  test(`${name} is answered 400, not upgraded, code ${code}`, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
    const reported = new Promise((resolve) => server.io.engine.once('connection_error', resolve));
    const response = await refusal(target);
    assert.equal(response.status, 400);
    assert.match(response.body, new RegExp(message));
    const error = await reported;
    assert.equal(error.code, code);
    assert.equal(error.message, message);
  }));
}

refusesWithCode('a WebSocket without a transport', '/socket.io/?EIO=4', 0, 'Transport unknown');
refusesWithCode('a WebSocket with an unknown transport', '/socket.io/?EIO=4&transport=pigeon', 0, 'Transport unknown');
refusesWithCode('a WebSocket with an unknown sid', `${WS_TARGET}&sid=nobody`, 1, 'Session ID unknown');
refusesWithCode('a WebSocket with an inherited property as sid', `${WS_TARGET}&sid=__proto__`, 1, 'Session ID unknown');

for (const [what, query] of [['protocol 3', 'EIO=3&'], ['no protocol at all', '']]) {
  test(`a WebSocket of ${what} is refused when allowEIO3 is off`, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
    const reported = new Promise((resolve) => server.io.engine.once('connection_error', resolve));
    const tcp = await Tcp.connect(server.port);
    await tcp.write(requestText('GET', `/socket.io/?${query}transport=websocket`, handshakeHeaders()));
    // socket.io has upgraded by the time it looks at the version, then writes an HTTP refusal into the WebSocket.
    const answer = (await tcp.end()).toString('latin1');
    assert.match(answer, /HTTP\/1\.1 400 Bad Request/);
    assert.match(answer, /Unsupported protocol version/);
    assert.equal((await reported).code, 5);
  }));
}

test('a WebSocket with another protocol version than its session has is refused', { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
  const session = await PollingSession.connect(server.port);
  const response = await refusal(`/socket.io/?EIO=3&transport=websocket&sid=${session.sid}`);
  assert.equal(response.status, 400);
  await session.echo('still polling');
}));

test('an upgrade request outside of the path is not upgraded', { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', '/elsewhere/?EIO=4&transport=websocket', handshakeHeaders()));
  const answer = (await tcp.end()).toString('latin1');
  assert.doesNotMatch(answer, / 101 /);
}));

test('header names and the words upgrade and websocket are taken in any case', { timeout: 15_000 }, async () => {
  const headers = { Connection: undefined, Upgrade: undefined, cOnNeCtIoN: 'keep-alive, UPGRADE', uPgRaDe: 'WebSocket' };
  const client = await SocketIoClient.connect(server.port, { headers });
  await client.echo('hello');
  client.leave();
});

// engine.io awaits `generateId` before it listens, so it drops what an eager client sends with its handshake.
test('frames that arrive in the same segment as the handshake are not lost', { timeout: 15_000, skip: !isNative && 'socket.io drops them' }, async () => {
  const ws = await WebSocketClient.open(server.port, { early: Buffer.concat([text('40'), text('420["echo",1]')]) });
  assert.match(await ws.nextText(), /^0\{"sid"/);
  assert.match(await ws.nextText(), /^40\{"sid"/);
  assert.equal(await ws.nextText(), '430[1]');
  ws.tcp.destroy();
});

test('a handshake that arrives byte by byte is understood', { timeout: 15_000 }, async () => {
  const tcp = await Tcp.connect(server.port);
  for (const byte of requestText('GET', WS_TARGET, handshakeHeaders())) {
    await tcp.write(byte);
    await new Promise(setImmediate);
  }
  assert.equal((await readResponse(tcp)).status, 101);
  tcp.destroy();
});

test('the session id is not the public socket id, and both are long and unlike', { timeout: 15_000 }, async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => SocketIoClient.connect(server.port)));
  const ids = clients.flatMap((client) => [client.id, client.handshake.sid]);
  assert.equal(new Set(ids).size, 40);
  for (const id of ids) assert.ok(id.length >= 20, id);
  for (const client of clients) client.leave();
});

test('resets in every stage of the handshake leave nothing behind', { timeout: 20_000 }, () => neighbour.unharmedBy(async () => {
  const whole = requestText('GET', WS_TARGET, handshakeHeaders());
  const before = server.io.engine.clientsCount;
  for (let i = 0; i < 200; i++) {
    const tcp = await Tcp.connect(server.port);
    // From nothing at all to the whole request and half of a CONNECT frame.
    const bytes = Buffer.concat([Buffer.from(whole), text('40').subarray(0, 4)]);
    if (i % 4) await tcp.write(bytes.subarray(0, Math.floor((bytes.length * (i % 40)) / 39)));
    if (i % 3 === 0) await new Promise(setImmediate);
    tcp.reset();
  }
  const deadline = Date.now() + 5000;
  while (server.io.engine.clientsCount !== before && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(server.io.engine.clientsCount, before);
}));
