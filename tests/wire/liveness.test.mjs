// Peers that are silent, gone or half gone. The heartbeat has to find them, and only them.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { readResponse, requestText } from './support/http.mjs';
import { PollingSession } from './support/polling.mjs';
import { Neighbour, SocketIoClient } from './support/socketio.mjs';
import { startServer } from './support/server.mjs';
import { Tcp } from './support/tcp.mjs';

const INTERVAL_MS = 300;
const TIMEOUT_MS = 300;
const server = await startServer({ pingInterval: INTERVAL_MS, pingTimeout: TIMEOUT_MS });
after(() => server.close());
const neighbour = await Neighbour.join(server.port);

function unharmed(name, steps) {
  test(name, { timeout: 15_000 }, () => neighbour.unharmedBy(steps));
}

/** The socket ends by ping timeout, neither too early nor too late. */
async function timesOut(id, since) {
  assert.equal(await server.ends.reasonOf(id), 'ping timeout');
  const took = Date.now() - since;
  const due = INTERVAL_MS + TIMEOUT_MS;
  assert.ok(took > due - 150 && took < due + 1000, `after ${took} ms`);
  assert.equal(server.io.sockets.sockets.has(id), false);
  assert.equal(server.io.sockets.adapter.rooms.has(id), false);
}

unharmed('the first ping comes only after pingInterval, and each pong is followed by another ping', async () => {
  const client = await SocketIoClient.connect(server.port);
  let last = Date.now();
  for (let beats = 0; beats < 4; beats++) {
    assert.equal(await client.ws.nextText(), '2');
    const took = Date.now() - last;
    assert.ok(took > INTERVAL_MS - 100 && took < INTERVAL_MS + 500, `ping after ${took} ms`);
    last = Date.now();
    await client.sendText('3');
  }
  client.leave();
});

unharmed('a peer that answers nothing any more is freed by ping timeout and its connection is closed', async () => {
  const since = Date.now();
  const client = await SocketIoClient.connect(server.port);
  await timesOut(client.id, since);
  await client.ending();
});

unharmed('a peer that neither reads nor answers is freed by ping timeout even with a full send buffer', async () => {
  const since = Date.now();
  const client = await SocketIoClient.connect(server.port);
  client.ws.tcp.socket.pause();
  // More than the kernel takes from a server whose peer does not read, less than maxOutboxBytes on top of it.
  const socket = server.io.sockets.sockets.get(client.id);
  for (let sent = 0; sent < 40; sent++) socket.volatile.emit('fill', 'x'.repeat(250_000));
  await timesOut(client.id, since);
});

unharmed('a peer that talks but never answers a ping is freed by ping timeout', async () => {
  const client = await SocketIoClient.connect(server.port);
  const chatter = setInterval(() => client.sendText('42["chatter"]'), 40);
  try {
    assert.equal(await server.ends.reasonOf(client.id), 'ping timeout');
  } finally {
    clearInterval(chatter);
  }
});

unharmed('a polling client that polls no more is freed by ping timeout', async () => {
  const since = Date.now();
  const session = await PollingSession.connect(server.port);
  await timesOut(session.id, since);
  await session.isGone();
});

unharmed('a held poll brings the ping, and a pong keeps the session', async () => {
  const session = await PollingSession.connect(server.port);
  for (let beats = 0; beats < 3; beats++) {
    assert.equal((await session.poll()).body, '2');
    await session.send('3');
  }
  await session.echo('alive');
});

unharmed('a POST whose body never ends dies with its session', async () => {
  const session = await PollingSession.connect(server.port);
  const tcp = await Tcp.connect(server.port);
  await tcp.write(`POST ${session.target} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n42`);
  assert.equal(await server.ends.reasonOf(session.id), 'ping timeout');
  await tcp.end();
});

unharmed('a poll that is never fetched by its client does not outlive its session', async () => {
  const session = await PollingSession.connect(server.port);
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', session.target));
  assert.equal((await readResponse(tcp)).body, '2');
  assert.equal(await server.ends.reasonOf(session.id), 'ping timeout');
  await session.isGone();
});

unharmed('a peer that only sends its FIN is gone', async () => {
  const client = await SocketIoClient.connect(server.port);
  client.ws.tcp.socket.end();
  assert.equal(await server.ends.reasonOf(client.id, INTERVAL_MS), 'transport close');
  await client.ws.tcp.end();
});

unharmed('a peer that resets the connection is gone at once', async () => {
  const client = await SocketIoClient.connect(server.port);
  client.ws.tcp.reset();
  assert.match(await server.ends.reasonOf(client.id, INTERVAL_MS), /^transport (close|error)$/);
});

unharmed('a peer that vanishes in the middle of a frame is gone', async () => {
  const client = await SocketIoClient.connect(server.port);
  await client.ws.send(Buffer.from([0x81, 0xfe, 0x10]));
  client.leave();
  assert.equal(await server.ends.reasonOf(client.id, INTERVAL_MS), 'transport close');
});
