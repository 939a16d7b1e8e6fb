// File descriptors: a table that is full, and a table that fills up unnoticed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerProcess } from './support/child.mjs';
import { CrowdClient, WAYS_TO_LEAVE } from './support/crowd.mjs';
import { text } from './support/frames.mjs';
import { request, requestText } from './support/http.mjs';
import { PollingSession, POLLING_TARGET } from './support/polling.mjs';
import { SocketIoClient } from './support/socketio.mjs';
import { Tcp } from './support/tcp.mjs';
import { WebSocketClient, WS_TARGET } from './support/websocket.mjs';

const ROOM_FOR_CONNECTIONS = 40;

test('a full descriptor table neither kills the server nor makes it spin, and it recovers', { timeout: 40_000 }, async () => {
  const probe = await ServerProcess.start();
  const needed = await probe.descriptors();
  await probe.stop();

  const server = await ServerProcess.start({ descriptors: needed + ROOM_FOR_CONNECTIONS });
  try {
    const early = await SocketIoClient.connect(server.port);
    const flood = [];
    for (let i = 0; i < ROOM_FOR_CONNECTIONS * 4; i++) {
      // The backlog or an immediate reset: either is an answer of a server that can accept no more.
      flood.push(await Tcp.connect(server.port).catch(() => null));
    }
    const cpuBefore = await server.cpu();
    const started = Date.now();
    while (Date.now() - started < 3000) {
      await early.echo('alive');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const cpu = (await server.cpu()) - cpuBefore;
    assert.ok(cpu < 0.6, `${cpu} s of CPU in 3 s of waiting`);

    for (const tcp of flood) tcp?.destroy();
    const deadline = Date.now() + 10_000;
    let late = null;
    while (!late && Date.now() < deadline) late = await SocketIoClient.connect(server.port).catch(() => null);
    assert.ok(late, 'nobody could connect after the flood had gone');
    await late.echo('back');
    await early.echo('still here');
  } finally {
    await server.stop();
  }
});

/** One of everything that takes a descriptor and gives it back. */
async function everyKindOfEnd(port) {
  for (const way of WAYS_TO_LEAVE) await (await CrowdClient.join(port)).leave(way);

  const refused = await Tcp.connect(port);
  await refused.write('garbage\r\n\r\n');
  await refused.end();

  const violator = await SocketIoClient.connect(port);
  await violator.ws.send(text('x', { masked: false }));
  await violator.ending();

  (await Tcp.connect(port)).reset();
  const half = await Tcp.connect(port);
  await half.write(`GET ${POLLING_TARGET} HTTP/1.1\r\nHost:`);
  half.destroy();

  await request(port, 'GET', '/elsewhere');
  await request(port, 'GET', `${WS_TARGET}&sid=nobody`);

  const session = await PollingSession.connect(port);
  const probe = await WebSocketClient.open(port, { target: `${WS_TARGET}&sid=${session.sid}` });
  await probe.sendText('2probe');
  await probe.nextText();
  probe.tcp.reset();
  const poll = await Tcp.connect(port);
  await poll.write(requestText('GET', session.target));
  await session.post('1');
  poll.destroy();
}

test('every way for a connection to end gives its descriptor back', { timeout: 40_000 }, async () => {
  const server = await ServerProcess.start();
  const empty = async () => {
    await server.settle(({ connections }) => connections === 0);
    return server.descriptors();
  };
  try {
    await everyKindOfEnd(server.port);
    const before = await empty();
    for (let round = 0; round < 40; round++) await everyKindOfEnd(server.port);
    // A kept-alive connection may take its time-out to go.
    const deadline = Date.now() + 10_000;
    let now = await empty();
    while (now > before && Date.now() < deadline) now = await empty();
    assert.ok(now <= before, `${before} descriptors before, ${now} after`);
    const state = await server.call('state');
    assert.deepEqual([state.connections, state.sockets, state.rooms], [0, 0, 0]);
  } finally {
    await server.stop();
  }
});

test('io.close() cuts every client and the process ends by itself', { timeout: 20_000 }, async () => {
  const server = await ServerProcess.start();
  const client = await SocketIoClient.connect(server.port);
  const silent = await Tcp.connect(server.port);
  const session = await PollingSession.connect(server.port);
  const poll = session.poll().catch(() => null);
  const closed = server.call('close');
  await client.ending();
  await poll;
  silent.destroy();
  await closed;
  assert.equal(await Promise.race([server.exited, new Promise((resolve) => setTimeout(resolve, 5000, 'still running'))]), 0);
});
