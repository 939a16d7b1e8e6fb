// Answers to a broadcast with acknowledgements: who is missing, and how much of them is collected.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { nativeOnly } from '../support/subject.mjs';
import { until } from '../support/wait.mjs';

async function room(t, count, options) {
  const { io, url } = await serve(t, options);
  io.on('connection', (socket) => socket.join('room'));
  const clients = [];
  for (let n = 0; n < count; n += 1) clients.push(await connect(url));
  await until(() => io.of('/').sockets.size === count, 'everybody in');
  return { io, clients };
}

test('err.missingSockets names the sockets that did not answer', nativeOnly, async (t) => {
  const { io, clients } = await room(t, 4);
  const [eager, silent, leaver, other] = clients;
  for (const client of [eager, other]) client.on('q', (ack) => ack(client.id));
  leaver.on('q', () => leaver.disconnect());
  const ids = [silent.id, leaver.id].sort();
  const err = await io.timeout(300).to('room').emitWithAck('q').then(() => assert.fail('it failed'), (e) => e);
  assert.equal(err.message, 'operation has timed out');
  assert.deepEqual(err.responses.sort(), [eager.id, other.id].sort());
  assert.deepEqual(err.missingSockets.sort(), ids);
});

test('answers that are more than one text may be cross in pieces, binary ones too', nativeOnly, async (t) => {
  const { io, clients } = await room(t, 24);
  // Together 10 MB: more than one batch of events holds.
  clients.forEach((client, n) => client.on('q', (ack) => ack(n % 2 ? ['list', n, 'x'.repeat(500_000)] : { n, bytes: Buffer.alloc(300_000, n) })));
  const responses = await io.timeout(20_000).to('room').emitWithAck('q');
  assert.equal(responses.length, 24);
  const numbers = responses.map((answer) => {
    if (Array.isArray(answer)) {
      assert.equal(answer[2].length, 500_000);
      return answer[1];
    }
    assert.ok(answer.bytes.length === 300_000 && answer.bytes.every((byte) => byte === answer.n));
    return answer.n;
  });
  assert.deepEqual(numbers.sort((a, b) => a - b), clients.map((_, n) => n));
  assert.equal(io.stats().answerBytes, 0);
});

test('maxAnswerBytes: answers beyond it count as timed out, and their sockets are named', nativeOnly, async (t) => {
  const { io, clients } = await room(t, 3, { maxAnswerBytes: 65_536 });
  for (const client of clients) client.on('q', (ack) => ack('x'.repeat(40_000)));
  const err = await io.timeout(20_000).to('room').emitWithAck('q').then(() => assert.fail('it failed'), (e) => e);
  assert.equal(err.responses.length, 1);
  assert.equal(err.missingSockets.length, 2);
  const { answersRefused, answerBytes } = io.stats();
  assert.deepEqual([answersRefused, answerBytes], [2, 0]);
});
