// Broadcasts that ask every receiver for an answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, connect } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { deferred, until, within } from '../support/wait.mjs';

async function answering(t, count, options = {}) {
  const { io, url } = await serve(t);
  io.on('connection', (socket) => socket.join('room'));
  const clients = [];
  for (let n = 0; n < count; n += 1) {
    const client = await connect(url, options);
    client.on('q', (x, ack) => ack(`${n} says ${x}`));
    clients.push(client);
  }
  await until(() => io.of('/').sockets.size === count, 'everybody in');
  return { io, url, clients };
}

for (const transport of Object.keys(TRANSPORTS)) {
  test(`every member answers: (null, responses) over ${transport}`, async (t) => {
    const { io } = await answering(t, 3, { transport });
    const done = deferred();
    io.timeout(3000).to('room').emit('q', 'x', (error, responses) => done.resolve([error, responses]));
    const [error, responses] = await within(done.promise, 'answers');
    assert.equal(error, null);
    assert.deepEqual(responses.sort(), ['0 says x', '1 says x', '2 says x']);
  });
}

test('emitWithAck on a room resolves with all responses', async (t) => {
  const { io } = await answering(t, 4);
  const responses = await within(io.timeout(3000).to('room').emitWithAck('q', 'y'), 'answers');
  assert.equal(responses.length, 4);
  assert.equal((await within(io.timeout(3000).emitWithAck('q', 'z'), 'answers')).length, 4);
});

test('on timeout the callback gets the error and the responses that came', async (t) => {
  const { io, clients } = await answering(t, 3);
  clients[1].off('q');
  const done = deferred();
  io.timeout(500).to('room').emit('q', 'x', (error, responses) => done.resolve([error, responses]));
  const [error, responses] = await within(done.promise, 'timeout');
  assert.equal(error.message, 'operation has timed out');
  assert.deepEqual(responses.sort(), ['0 says x', '2 says x']);
});

test('emitWithAck rejects on timeout and the error carries the responses', async (t) => {
  const { io, clients } = await answering(t, 2);
  clients[0].off('q');
  await assert.rejects(io.timeout(500).to('room').emitWithAck('q', 'x'), (error) => {
    assert.equal(error.message, 'operation has timed out');
    assert.deepEqual(error.responses, ['1 says x']);
    return true;
  });
});

test('an empty room answers at once with no responses', async (t) => {
  const { io } = await answering(t, 1);
  const begun = Date.now();
  assert.deepEqual(await within(io.timeout(3000).to('nobody').emitWithAck('q', 'x'), 'answers'), []);
  assert.ok(Date.now() - begun < 2000);
});

test('except leaves a member unasked, and a socket asks all but itself', async (t) => {
  const { io, clients } = await answering(t, 3);
  const responses = await within(io.timeout(3000).to('room').except(clients[0].id).emitWithAck('q', 'x'), 'answers');
  assert.deepEqual(responses.sort(), ['1 says x', '2 says x']);
  const socket = io.of('/').sockets.get(clients[2].id);
  const others = await within(socket.timeout(3000).to('room').emitWithAck('q', 'x'), 'answers');
  assert.deepEqual(others.sort(), ['0 says x', '1 says x']);
  const broadcast = await within(socket.broadcast.timeout(3000).emitWithAck('q', 'x'), 'answers');
  assert.equal(broadcast.length, 2);
});

test('answers may be binary, nothing at all, or several values of which the first counts', async (t) => {
  const { io, clients } = await answering(t, 3);
  for (const client of clients) client.off('q');
  clients[0].on('q', (ack) => ack(Buffer.from([1, 2])));
  clients[1].on('q', (ack) => ack());
  clients[2].on('q', (ack) => ack('first', 'second'));
  const responses = await within(io.timeout(3000).to('room').emitWithAck('q'), 'answers');
  assert.equal(responses.length, 3);
  assert.ok(responses.some((r) => Buffer.isBuffer(r) && r.equals(Buffer.from([1, 2]))));
  assert.ok(responses.includes('first'));
});

test('a binary question reaches everybody and is answered', async (t) => {
  const { io, clients } = await answering(t, 2);
  for (const client of clients) client.on('bin', (bytes, ack) => ack(bytes.length));
  assert.deepEqual(await within(io.timeout(3000).to('room').emitWithAck('bin', Buffer.alloc(7)), 'answers'), [7, 7]);
});

test('two questions at once keep their answers apart', async (t) => {
  const { io } = await answering(t, 3);
  const [one, two] = await within(
    Promise.all([io.timeout(3000).emitWithAck('q', 'one'), io.timeout(3000).emitWithAck('q', 'two')]),
    'answers',
  );
  assert.ok(one.every((r) => r.endsWith('one')) && one.length === 3);
  assert.ok(two.every((r) => r.endsWith('two')) && two.length === 3);
});

test('a member that leaves instead of answering does not keep the others waiting beyond the timeout', async (t) => {
  const { io, clients } = await answering(t, 2);
  clients[0].off('q');
  clients[0].on('q', () => clients[0].disconnect());
  const done = deferred();
  io.timeout(500).to('room').emit('q', 'x', (error, responses) => done.resolve(responses));
  assert.deepEqual(await within(done.promise, 'answers'), ['1 says x']);
});
