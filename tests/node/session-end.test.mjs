// `session_end`: a client that was away can't come back to its socket any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { nativeOnly } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';

async function gone(io, url, options) {
  const arrived = event(io, 'connection');
  const client = await connect(url, options);
  const [socket] = await arrived;
  socket.data.user = 'ann';
  socket.join('r');
  const left = event(socket, 'disconnect');
  client.io.engine.close();
  await left;
  return { client, socket };
}

test('who stays away too long is told of, with what is left of the socket', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { connectionStateRecovery: { maxDisconnectionDuration: 100 } });
  const nsp = io.of('/chat');
  for (const [space, at] of [[io, url], [nsp, `${url}/chat`]]) {
    const ended = event(space, 'session_end');
    const { socket } = await gone(space, at);
    const [session] = await ended;
    assert.deepEqual(session, { id: socket.id, rooms: new Set([socket.id, 'r']), data: { user: 'ann' }, reason: 'timeout' });
  }
});

test('who is disconnected while away is told of at once, who comes back or leaves is not', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { connectionStateRecovery: {} });
  const ends = [];
  io.on('session_end', ({ id, reason }) => ends.push([id, reason]));
  const back = await gone(io, url);
  const arrived = event(io, 'connection');
  back.client.connect();
  const [again] = await arrived;
  assert.equal(again.recovered, true);
  const left = event(again, 'disconnect');
  back.client.disconnect();
  await left;
  const first = await gone(io, url);
  io.in('r').disconnectSockets();
  await until(() => ends.length === 1, 'the end by a room');
  const second = await gone(io, url);
  io.in(second.socket.id).disconnectSockets(true);
  await until(() => ends.length === 2, 'the end by the id');
  assert.deepEqual(ends, [[first.socket.id, 'disconnect'], [second.socket.id, 'disconnect']]);
});

test('the name is the server\'s own: other nodes can not say it', nativeOnly, async (t) => {
  const { io } = await serve(t, {});
  assert.throws(() => io.serverSideEmit('session_end', {}), /reserved/);
});
