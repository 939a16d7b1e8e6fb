// Clients that a stuck host does not read from. They are alive, and their heartbeat has to tell them that the server is.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ServerProcess } from './support/child.mjs';
import { PollingSession, POLLING_TARGET } from './support/polling.mjs';
import { request } from './support/http.mjs';
import { SocketIoClient } from './support/socketio.mjs';
import { WebSocketClient } from './support/websocket.mjs';

const INTERVAL_MS = 400;
const TIMEOUT_MS = 600;
/** Several times what a client waits before it calls the server dead. */
const BLOCKED_MS = 4 * (INTERVAL_MS + TIMEOUT_MS);
/** More than `maxPendingEvents`. */
const FLOOD = 20;

const server = await ServerProcess.start({
  options: { pingInterval: INTERVAL_MS, pingTimeout: TIMEOUT_MS, maxPendingEvents: 4, allowEIO3: true },
  reportEnds: true,
});
after(() => server.stop());

const events = Array.from({ length: FLOOD }, (_, number) => `42["pour",${number}]`);

/** Calls `beat` until the host is back; each call resolves with the next sign of life, and none may come too late. */
async function aliveWhile(blocked, limit, beat) {
  let over = false;
  const done = blocked.then(() => { over = true; });
  let beats = 0;
  while (!over) {
    const since = Date.now();
    await beat();
    const took = Date.now() - since;
    assert.ok(took <= limit, `nothing came for ${took} ms, the client waits ${limit}`);
    beats += 1;
  }
  await done;
  return beats;
}

test('a WebSocket client that is held back is pinged, and stays', { timeout: 30_000 }, async () => {
  const client = await SocketIoClient.connect(server.port);
  const blocked = server.call('block', { ms: BLOCKED_MS });
  for (const event of events) await client.sendText(event);
  const beats = await aliveWhile(blocked, INTERVAL_MS + TIMEOUT_MS, async () => {
    assert.equal(await client.ws.nextText(), '2');
    await client.sendText('3');
  });
  assert.ok(beats >= 4, `${beats} pings`);
  await client.sendText('421["poured"]');
  assert.equal(await client.nextPacket(), `431[${FLOOD}]`);
  client.leave();
});

test('a polling client that is held back is pinged, and stays', { timeout: 30_000 }, async () => {
  const session = await PollingSession.connect(server.port);
  const blocked = server.call('block', { ms: BLOCKED_MS });
  // Time to block: this client answers no ping, which it may not only while it is held back.
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS / 2));
  // Its pongs wait behind this POST, which is answered when the host is back.
  const posted = session.post(events.join('\x1e')).then(async ({ body }) => {
    await session.send('3');
    return body;
  });
  const beats = await aliveWhile(blocked, INTERVAL_MS + TIMEOUT_MS, async () => {
    assert.equal((await session.poll()).body, '2');
  });
  assert.ok(beats >= 4, `${beats} pings`);
  assert.equal(await posted, 'ok');
  await session.send('421["poured"]');
  assert.equal(await session.nextPacket(), `431[${FLOOD}]`);
});

test('a protocol 3 client that is held back gets its answers in time, and stays', { timeout: 30_000 }, async () => {
  const ws = await WebSocketClient.open(server.port, { target: '/socket.io/?EIO=3&transport=websocket' });
  assert.match(await ws.nextText(), /^0\{/);
  assert.equal(await ws.nextText(), '40');
  const blocked = server.call('block', { ms: BLOCKED_MS });
  for (const event of events) await ws.sendText(event);
  await aliveWhile(blocked, TIMEOUT_MS, async () => {
    await ws.sendText('2');
    assert.equal(await ws.nextText(), '3');
  });
  await ws.sendText('421["poured"]');
  let answer;
  do answer = await ws.nextText(); while (answer === '3');
  assert.equal(answer, `431[${FLOOD}]`);
  ws.tcp.destroy();
});

test('a client that died while it was held back is found when the host is back', { timeout: 30_000 }, async () => {
  const client = await SocketIoClient.connect(server.port);
  const blocked = server.call('block', { ms: BLOCKED_MS / 2 });
  for (const event of events) await client.sendText(event);
  await blocked;
  // It answers no ping, neither of those that came meanwhile nor a later one.
  assert.equal((await server.end(client.id)).reason, 'ping timeout');
  assert.equal((await request(server.port, 'GET', POLLING_TARGET)).status, 200);
});
