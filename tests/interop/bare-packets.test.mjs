// Packets that the client library never writes, but the protocol has: events and acknowledgements without any data.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { deferred, event, within } from '../support/wait.mjs';

// The packet as the engine carries it, without the `4` of a message.
const send = (client, ...messages) => {
  for (const message of messages) client.io.engine.write(message);
};

for (const transport of ['websocket', 'polling']) {
  test(`an event without data reaches catch-all listeners alone, over ${transport}`, async (t) => {
    const { io, url } = await serve(t);
    const { client, socket } = await pair(io, url, { transport });
    const seen = [];
    socket.onAny((...args) => seen.push(args));
    const alive = event(socket, 'alive');
    send(client, '2', '27', '51-', Buffer.from('lost'));
    client.emit('alive', Buffer.from('mine'));
    assert.deepEqual(await alive, [Buffer.from('mine')]);
    assert.equal(seen.length, 4);
    assert.deepEqual(seen[0], []);
    // With the number of an acknowledgement there is nothing but its function.
    assert.deepEqual(seen[1].map((arg) => typeof arg), ['function']);
    assert.deepEqual(seen[2], []);
    assert.equal(seen[3][0], 'alive');
    assert.equal(socket.connected, true);
  });
}

test('an event without data passes middlewares as an empty list', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const seen = [];
  socket.use((event, next) => {
    seen.push([...event]);
    next();
  });
  const alive = event(socket, 'alive');
  send(client, '2');
  client.emit('alive');
  await alive;
  assert.deepEqual(seen, [[], ['alive']]);
});

test('an acknowledgement without data answers with nothing', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  client.io.engine.on('packet', ({ data }) => {
    const asked = /^2(\d+)\["ask"\]/.exec(data);
    if (asked) send(client, `3${asked[1]}`);
  });
  const plain = deferred();
  socket.emit('ask', (...args) => plain.resolve(args));
  assert.deepEqual(await within(plain.promise, 'ack'), []);
  const timed = deferred();
  socket.timeout(5000).emit('ask', (...args) => timed.resolve(args));
  assert.deepEqual(await within(timed.promise, 'ack with a limit'), [null]);
  assert.equal(await within(socket.timeout(5000).emitWithAck('ask'), 'promise'), undefined);
});

test('an acknowledgement with an attachment but no data answers with nothing, and others keep their attachments', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  client.io.engine.on('packet', ({ data }) => {
    const asked = /^2(\d+)\["ask"\]/.exec(data);
    if (asked) send(client, `61-${asked[1]}`, Buffer.from('lost'));
  });
  const got = event(socket, 'bytes');
  const answer = deferred();
  socket.emit('ask', (...args) => {
    answer.resolve(args);
  });
  client.on('ask', () => client.emit('bytes', Buffer.from('mine')));
  assert.deepEqual(await within(answer.promise, 'ack'), []);
  assert.deepEqual(await got, [Buffer.from('mine')]);
});
