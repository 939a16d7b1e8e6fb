// From polling to WebSocket: the probe that succeeds and all the ways in which it does not.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { frame, OP, text } from './support/frames.mjs';
import { readResponse, request, requestText } from './support/http.mjs';
import { PollingSession } from './support/polling.mjs';
import { Neighbour } from './support/socketio.mjs';
import { startServer } from './support/server.mjs';
import { Tcp } from './support/tcp.mjs';
import { WebSocketClient, WS_TARGET } from './support/websocket.mjs';

const UPGRADE_TIMEOUT_MS = 500;
const server = await startServer({ upgradeTimeout: UPGRADE_TIMEOUT_MS });
after(() => server.close());
const neighbour = await Neighbour.join(server.port);

const openProbe = (session) => WebSocketClient.open(server.port, { target: `${WS_TARGET}&sid=${session.sid}` });

function unharmed(name, steps) {
  test(name, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => steps(await PollingSession.connect(server.port))));
}

/** The probe ends as `steps` say; polling has to go on, and a later upgrade has to succeed. */
function survives(name, steps) {
  unharmed(`${name} leaves polling alive`, async (session) => {
    const probe = await openProbe(session);
    await steps(probe, session);
    await session.echo('polling goes on');
    await upgrade(session);
  });
}

/** A whole, correct upgrade; gives the WebSocket. */
async function upgrade(session) {
  const probe = await openProbe(session);
  const pending = await Tcp.connect(server.port);
  await pending.write(requestText('GET', session.target));
  await probe.sendText('2probe');
  assert.equal(await probe.nextText(), '3probe');
  assert.equal((await readResponse(pending)).body, '6', 'the pending poll is released by a noop');
  await probe.sendText('5');
  await probe.sendText('427["echo","upgraded"]');
  assert.equal(await probe.nextText(), '437["upgraded"]');
  return probe;
}

survives('a probe whose client vanishes before the ping', async (probe) => probe.tcp.reset());

survives('a probe whose client vanishes after the pong', async (probe) => {
  await probe.sendText('2probe');
  assert.equal(await probe.nextText(), '3probe');
  probe.tcp.reset();
});

survives('a probe that is closed properly', async (probe) => {
  await probe.send(frame(OP.CLOSE));
  await probe.ending();
});

survives('a probe that never says anything is closed after upgradeTimeout, which', async (probe) => {
  const started = Date.now();
  await probe.ending();
  const took = Date.now() - started;
  assert.ok(took > UPGRADE_TIMEOUT_MS - 150 && took < UPGRADE_TIMEOUT_MS + 1500, `closed after ${took} ms`);
});

survives('a probe that is never finished is closed after upgradeTimeout, which', async (probe) => {
  await probe.sendText('2probe');
  assert.equal(await probe.nextText(), '3probe');
  await probe.ending();
});

for (const [what, packet] of [['a ping that is no probe', '2'], ['a ping with another word', '2other'], ['a message', '42["echo",1]'], ['a pong', '3probe'], ['no packet at all', '']]) {
  survives(`a probe that begins with ${what} is closed, which`, async (probe) => {
    await probe.sendText(packet);
    await probe.ending(UPGRADE_TIMEOUT_MS - 100);
  });
}

survives('a probe that breaks the WebSocket protocol', async (probe) => {
  await probe.send(text('2probe', { masked: false }));
  assert.equal((await probe.ending()).code, 1002);
});

unharmed('messages sent while the probe is under way are delivered once, in order', async (session) => {
  const seen = [];
  server.io.sockets.sockets.get(session.id).on('note', (value) => seen.push(value));
  const probe = await openProbe(session);
  await session.send('42["note",1]');
  await probe.sendText('2probe');
  assert.equal(await probe.nextText(), '3probe');
  await session.send('42["note",2]', '42["note",3]');
  await probe.sendText('5');
  await probe.sendText('42["note",4]');
  await probe.sendText('421["echo",5]');
  assert.equal(await probe.nextText(), '431[5]');
  assert.deepEqual(seen, [1, 2, 3, 4]);
});

unharmed('events emitted around the upgrade all arrive, in order', async (session) => {
  const socket = server.io.sockets.sockets.get(session.id);
  const probe = await openProbe(session);
  await probe.sendText('2probe');
  assert.equal(await probe.nextText(), '3probe');
  socket.emit('n', 1);
  assert.equal(await session.nextPacket(), '42["n",1]');
  socket.emit('n', 2);
  await probe.sendText('5');
  assert.equal(await probe.nextText(), '42["n",2]');
  socket.emit('n', 3);
  assert.equal(await probe.nextText(), '42["n",3]');
});

unharmed('a second WebSocket during a probe is closed and the first one finishes', async (session) => {
  const first = await openProbe(session);
  await first.sendText('2probe');
  assert.equal(await first.nextText(), '3probe');
  const second = await openProbe(session);
  await second.ending(UPGRADE_TIMEOUT_MS - 100);
  await first.sendText('5');
  await first.sendText('421["echo","first"]');
  assert.equal(await first.nextText(), '431["first"]');
});

unharmed('a WebSocket for a session that has upgraded is closed and the session lives', async (session) => {
  const upgraded = await upgrade(session);
  const late = await openProbe(session);
  await late.ending(2000);
  await upgraded.sendText('421["echo","alive"]');
  assert.equal(await upgraded.nextText(), '431["alive"]');
});

unharmed('polling on a session that has upgraded is a bad request and the session lives', async (session) => {
  const upgraded = await upgrade(session);
  for (const method of ['GET', 'POST']) {
    const response = await request(server.port, method, session.target, method === 'POST' ? { body: '42["echo",1]' } : {});
    assert.equal(response.status, 400);
    assert.equal(JSON.parse(response.body).code, 3);
  }
  await upgraded.sendText('421["echo","alive"]');
  assert.equal(await upgraded.nextText(), '431["alive"]');
});

unharmed('a session that upgraded ends with its WebSocket', async (session) => {
  const upgraded = await upgrade(session);
  upgraded.tcp.destroy();
  assert.equal(await server.ends.reasonOf(session.id), 'transport close');
  await session.isGone();
});
