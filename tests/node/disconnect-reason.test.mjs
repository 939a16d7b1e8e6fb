// `socket.disconnect(close, reason)`: what the client can read of why it has to go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { nativeOnly } from '../support/subject.mjs';
import { event } from '../support/wait.mjs';

for (const transport of Object.keys(TRANSPORTS)) {
  for (const close of [false, true]) {
    test(`a reason given to disconnect(${close}) reaches a ${transport} client before its end`, nativeOnly, async (t) => {
      const { io, url } = await serve(t);
      const { client, socket } = await pair(io, url, { transport });
      const heard = [];
      client.on('disconnect_reason', (reason) => heard.push(reason));
      const end = event(client, 'disconnect');
      socket.disconnect(close, 'you are banned');
      const [reason] = await end;
      assert.deepEqual([...heard, reason], ['you are banned', 'io server disconnect']);
    });
  }
}

test('without a reason nothing is said', nativeOnly, async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  client.onAny(() => assert.fail('nothing was emitted'));
  const end = event(client, 'disconnect');
  socket.disconnect(true);
  await end;
});
