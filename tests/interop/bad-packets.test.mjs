// What a socket hears of packets that can't be read: `error` with what was wrong, then the end of the connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { deferred, event, within } from '../support/wait.mjs';

const BAD = {
  'no JSON': ['2["a",', /invalid payload/],
  'a reserved name': ['2["disconnect"]', /invalid payload/],
  'an unknown type': ['7', /unknown packet type/],
  'an attachment that nobody announced': [Buffer.from('x'), /got binary data when not reconstructing a packet/],
  'text instead of an attachment': [['51-["a",{"_placeholder":true,"num":0}]', '2["b"]'], /got plaintext data when reconstructing a packet/],
  'too many attachments': ['511-["a"]', /too many attachments/],
};

function write(client, messages) {
  for (const message of [messages].flat()) client.io.engine.write(message);
}

for (const transport of ['websocket', 'polling']) {
  for (const [name, [messages, words]] of Object.entries(BAD)) {
    test(`error tells of ${name} before the connection ends, over ${transport}`, async (t) => {
      const { io, url } = await serve(t);
      const { client, socket } = await pair(io, url, { transport });
      const log = [];
      socket.on('error', (error) => {
        assert.match(error.message, words);
        log.push(`error, connected ${socket.connected}`);
      });
      socket.on('disconnecting', (reason) => log.push(`disconnecting, ${reason}`));
      const gone = event(socket, 'disconnect');
      write(client, messages);
      assert.deepEqual((await gone)[0], 'forced close');
      assert.deepEqual(log, ['error, connected true', 'disconnecting, forced close']);
    });
  }
}

test('the sockets of all namespaces of the client hear of it, and one without a listener survives', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const named = event(io.of('/named'), 'connection');
  await connected(client.io.socket('/named'));
  const [other] = await named;
  const told = event(socket, 'error');
  const gone = [event(socket, 'disconnect'), event(other, 'disconnect')];
  write(client, '2{');
  assert.match((await told)[0].message, /invalid payload/);
  await Promise.all(gone);
  const { client: next } = await pair(io, url);
  assert.equal(next.connected, true);
});

test('a handler of error that disconnects the socket is asked once, and gives the reason', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const told = deferred();
  const reasons = [];
  socket.on('disconnect', (reason) => reasons.push(reason));
  socket.on('error', () => {
    socket.disconnect();
    told.resolve();
  });
  const gone = event(client, 'disconnect');
  write(client, '2{');
  await within(told.promise, 'error');
  await gone;
  assert.deepEqual(reasons, ['server namespace disconnect']);
});
