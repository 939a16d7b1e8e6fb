// Volatile messages are dropped for clients that do not take what they are sent, not because something left just before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { isBridge, isNative, subject } from '../support/subject.mjs';
import { event, record } from '../support/wait.mjs';

const skip = isNative || isBridge ? false : `${subject} drops all but the first`;

test('volatile messages in a row reach a client that reads', { skip }, async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const seen = record(client);
  const end = event(client, 'end');
  socket.emit('first');
  socket.volatile.emit('second');
  socket.volatile.emit('third');
  io.volatile.emit('fourth');
  io.to(socket.id).volatile.emit('fifth');
  socket.emit('end');
  await end;
  assert.deepEqual(seen.flat(), ['first', 'second', 'third', 'fourth', 'fifth', 'end']);
});
