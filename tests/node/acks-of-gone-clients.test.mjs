// Nobody waits for the acknowledgement of a client that has left: what can take an error gets one at once, with the reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { nativeOnly } from '../support/subject.mjs';
import { deferred, event, within } from '../support/wait.mjs';

/** Longer than any test may take. */
const LONG = 600_000;

function failsWith(reason) {
  return { message: 'socket has been disconnected', reason };
}

const ENDS = {
  'the client leaves the namespace': [({ client }) => client.disconnect(), 'client namespace disconnect'],
  'the connection is cut': [({ client }) => client.io.engine.transport.ws.terminate(), 'transport close'],
  'the server ends the socket': [({ socket }) => socket.disconnect(), 'server namespace disconnect'],
  'the server ends the connection': [({ socket }) => socket.disconnect(true), 'server namespace disconnect'],
  'a packet can not be read': [({ client }) => client.io.engine.write('2{'), 'forced close'],
  'the server closes': [({ io }) => void io.close(), 'server shutting down'],
};

for (const [how, [end, reason]] of Object.entries(ENDS)) {
  test(`pending acks fail at once with the reason when ${how}`, nativeOnly, async (t) => {
    const { io, url } = await serve(t);
    const { client, socket } = await pair(io, url);
    const order = [];
    socket.on('disconnect', () => order.push('disconnect'));
    socket.emit('never answered', () => order.push('a callback that takes no error'));
    const callback = deferred();
    socket.timeout(LONG).emit('never answered', (...args) => {
      order.push('callback');
      callback.resolve(args);
    });
    const promises = [socket.timeout(LONG).emitWithAck('never answered'), socket.emitWithAck('never answered')];
    const failed = promises.map((promise) => assert.rejects(within(promise, 'promise'), failsWith(reason)));
    assert.equal(socket.acks.size, 4);
    end({ client, socket, io });
    const [error, ...rest] = await within(callback.promise, 'callback');
    assert.equal(error.message, 'socket has been disconnected');
    assert.equal(error.reason, reason);
    assert.deepEqual(rest, []);
    await Promise.all(failed);
    assert.deepEqual(order, ['disconnect', 'callback']);
    assert.equal(socket.acks.size, 0);
  });
}

test('what is asked of a client that has left fails at once with the reason of its end', nativeOnly, async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const gone = event(socket, 'disconnect');
  client.disconnect();
  await gone;
  await assert.rejects(within(socket.timeout(LONG).emitWithAck('late'), 'promise'), failsWith('client namespace disconnect'));
  await assert.rejects(within(socket.emitWithAck('late'), 'promise'), failsWith('client namespace disconnect'));
});

test('an answer that came before the end is the answer', nativeOnly, async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  client.on('ask', (answer) => {
    answer('in time');
    client.disconnect();
  });
  assert.equal(await within(socket.timeout(LONG).emitWithAck('ask'), 'promise'), 'in time');
});
