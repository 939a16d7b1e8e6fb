// Connections that break while a client is being recovered, and what clients are known to do wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../support/clients.mjs';
import { startFrameProxy } from '../support/frame-proxy.mjs';
import { serve } from '../support/harness.mjs';
import { startProxy } from '../support/proxy.mjs';
import { isNative } from '../support/subject.mjs';
import { event, record, until } from '../support/wait.mjs';

const RETRY = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20 };
const wrong = (what) => ({ skip: isNative ? false : `socket.io ${what}` });

// A recovered client is told CONNECT and three messages.
for (let passing = 0; passing < 4; passing++) {
  test(`a recovery that breaks behind ${passing} of its packets delivers each message once`, wrong('delivers some twice'), async (t) => {
    const { io, port } = await serve(t, { connectionStateRecovery: {} });
    let left = Infinity;
    const proxy = await startFrameProxy(t, port, (text) => !text.startsWith('4') || left-- > 0);
    const sockets = [];
    io.on('connection', (socket) => sockets.push(socket));
    const client = await connect(proxy.url, RETRY);
    const seen = record(client);
    await until(() => sockets.length === 1, 'the socket');
    sockets[0].join('r');
    io.to('r').emit('n', 0);
    await until(() => seen.length === 1, 'the first event');
    left = passing;
    proxy.cut();
    await until(() => !sockets[0].connected, 'the end of the connection');
    for (let n = 1; n <= 3; n++) io.to('r').emit('n', n);
    await until(() => sockets.length > 1 && !sockets[1].connected, 'a recovery that broke');
    left = Infinity;
    await until(() => client.connected && sockets.at(-1).connected, 'a recovery');
    io.to('r').emit('n', 4);
    await until(() => seen.some(([, n]) => n === 4), 'the last event');
    assert.deepEqual(seen.map(([, n]) => n), [0, 1, 2, 3, 4]);
    assert.ok(sockets.slice(1).every((socket) => socket.recovered && socket.id === sockets[0].id));
    assert.equal(client.recovered, true);
  });
}

test('texts in volatile events do not cost a client its session', wrong('loses it'), async (t) => {
  const { io, port } = await serve(t, { connectionStateRecovery: {} });
  const proxy = await startProxy(t, port);
  const arrived = event(io, 'connection');
  const client = await connect(proxy.url, RETRY);
  const [socket] = await arrived;
  const seen = record(client);
  socket.emit('n', 0);
  await until(() => seen.length === 1, 'an offset');
  for (const send of [() => io.volatile.emit('typing', 'ada'), () => socket.volatile.emit('typing', 'bob'), () => io.volatile.emit('tick')]) {
    const before = seen.length;
    send();
    await until(() => seen.length > before, 'the volatile event');
  }
  const gone = event(socket, 'disconnect');
  const back = event(io, 'connection');
  proxy.cut();
  await gone;
  socket.emit('n', 1);
  assert.equal((await back)[0].recovered, true);
  await until(() => seen.length === 5, 'what was missed');
  assert.deepEqual(seen.map(([name, value]) => [name, name === 'tick' ? undefined : value]), [
    ['n', 0], ['typing', 'ada'], ['typing', 'bob'], ['tick', undefined], ['n', 1],
  ]);
});

test('a client that was cut before its first event comes back', wrong('makes a new socket'), async (t) => {
  const { io, port } = await serve(t, { connectionStateRecovery: {} });
  const proxy = await startProxy(t, port);
  io.emit('n', 'before its time');
  const arrived = event(io, 'connection');
  const client = await connect(proxy.url, RETRY);
  const [socket] = await arrived;
  const seen = record(client);
  const gone = event(socket, 'disconnect');
  const back = event(io, 'connection');
  proxy.cut();
  await gone;
  io.emit('n', 1);
  assert.equal((await back)[0].recovered, true);
  await until(() => seen.length === 1, 'what was missed');
  assert.equal(client.id, socket.id);
  assert.deepEqual(seen.map(([, n]) => n), [1]);
});

test('who got a new session with an old offset is recovered in the new one', wrong('loses it'), async (t) => {
  const { io, port } = await serve(t, { connectionStateRecovery: {} });
  const proxy = await startProxy(t, port);
  let arrived = event(io, 'connection');
  const client = await connect(proxy.url, RETRY);
  const [first] = await arrived;
  const seen = record(client);
  io.emit('n', 0);
  await until(() => seen.length === 1, 'an offset');
  io.except(first.id).emit('n', 'older than the new session');
  // Sent away: its session is no more, and its offset stays.
  arrived = event(io, 'connection');
  first.disconnect();
  await event(client, 'disconnect');
  io.emit('n', 'for nobody');
  client.connect();
  const [second] = await arrived;
  assert.equal(second.recovered, false);
  const gone = event(second, 'disconnect');
  const back = event(io, 'connection');
  if (!client.connected) await event(client, 'connect');
  proxy.cut();
  await gone;
  io.emit('n', 1);
  assert.equal((await back)[0].recovered, true);
  await until(() => seen.length >= 2, 'what was missed');
  assert.deepEqual(seen.map(([, n]) => n), [0, 1]);
});
