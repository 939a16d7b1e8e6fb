// The server ends a session while its client goes from polling to WebSocket: what waits, and then the end, go out on
// the transport that the client listens on.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isNative } from '../support/subject.mjs';
import { request } from './support/http.mjs';
import { PollingSession } from './support/polling.mjs';
import { startServer } from './support/server.mjs';
import { WebSocketClient, WS_TARGET } from './support/websocket.mjs';

const server = await startServer();
after(() => server.close());

const openProbe = (session) => WebSocketClient.open(session.port, { target: `${WS_TARGET}&sid=${session.sid}` });

/** A session whose client has been told to go on, and which has ended by then. */
async function endedAfterProbe({ io, port } = server, end = (socket) => socket.disconnect(true)) {
  const session = await PollingSession.connect(port);
  const probe = await openProbe(session);
  await probe.sendText('2probe');
  assert.equal(await probe.nextText(), '3probe');
  const socket = io.sockets.sockets.get(session.id);
  socket.emit('why', 'banned');
  const ended = end(socket);
  return { session, probe, ended };
}

test('a client that upgrades gets what waits and the end on its WebSocket', async () => {
  const { session, probe } = await endedAfterProbe();
  await probe.sendText('5');
  assert.equal(await probe.nextText(), '42["why","banned"]');
  assert.equal(await probe.nextText(), '41');
  await probe.ending();
  await session.isGone();
});

test('a client that polls on instead gets both there', async () => {
  const { session, probe } = await endedAfterProbe();
  assert.equal(await session.nextPacket(), '42["why","banned"]');
  assert.equal(await session.nextPacket(), '41');
  assert.equal(await session.nextPacket(), '1');
  await probe.ending();
});

test('a client whose WebSocket breaks gets both by polling', async () => {
  const { session, probe } = await endedAfterProbe();
  probe.tcp.reset();
  assert.equal(await session.nextPacket(), '42["why","banned"]');
  assert.equal(await session.nextPacket(), '41');
  assert.equal(await session.nextPacket(), '1');
  await session.isGone();
});

test('what a client still sends to a session that has ended is taken and forgotten', async () => {
  const { session } = await endedAfterProbe();
  await session.send('42["echo",1]', '3');
  assert.equal(await session.nextPacket(), '42["why","banned"]');
  await session.send('1');
});

test('a WebSocket that comes after the end is closed, and polling tells the rest', { skip: isNative ? false : 'engine.io lets it upgrade' }, async () => {
  const session = await PollingSession.connect(server.port);
  const socket = server.io.sockets.sockets.get(session.id);
  socket.emit('why', 'banned');
  socket.disconnect(true);
  const probe = await openProbe(session);
  await probe.ending();
  assert.equal(await session.nextPacket(), '42["why","banned"]');
  assert.equal(await session.nextPacket(), '41');
  assert.equal(await session.nextPacket(), '1');
});

test('a server that closes waits for an upgrade under way', { skip: isNative ? false : 'socket.io throws away what waits' }, async () => {
  const closing = await startServer();
  const { probe, ended } = await endedAfterProbe(closing, () => closing.io.close());
  await probe.sendText('5');
  assert.equal(await probe.nextText(), '42["why","banned"]');
  assert.equal((await probe.ending()).code, 1005);
  await ended;
});

test('a client that never comes for its end is forgotten', { skip: isNative ? false : 'how long is our own affair' }, async () => {
  const closing = await startServer();
  const { session, ended } = await endedAfterProbe(closing, () => closing.io.close());
  await ended;
  await assert.rejects(request(closing.port, 'GET', session.target));
});
