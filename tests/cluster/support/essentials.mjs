// The short form of the operations, where order over several Redis servers is nobody's promise: each kind of message
// goes both ways between two nodes.
import assert from 'node:assert/strict';
import { event, until, within } from '../../support/wait.mjs';
import { enter, member } from './fleet.mjs';

const ACK_MS = 3000;
const BYTES = Buffer.from([0, 255, 7]);

export async function essentials(redis, a, b) {
  const [one, two] = [await member(a), await member(b)];
  two.socket.data.name = 'ž';
  await enter(redis, [one, two], 'room');
  for (const [from, to] of [[a, two], [b, one]]) {
    for (const target of [from.io, from.io.to('room'), from.io.to(to.socket.id), from.io.to(['room', 'none'])]) {
      const heard = event(to.client, 'hello');
      target.emit('hello', 'ž', { bytes: BYTES });
      assert.deepEqual(await heard, ['ž', { bytes: BYTES }]);
    }
    to.client.on('ask', (x, ack) => ack(x));
    to.node.io.on('count', (ack) => ack(7));
  }
  for (const from of [a, b]) {
    assert.deepEqual(await within(from.io.to('room').timeout(ACK_MS).emitWithAck('ask', BYTES), 'acks'), [BYTES, BYTES]);
    assert.deepEqual(await within(from.io.serverSideEmitWithAck('count'), 'answers'), [7]);
    const found = await from.io.in('room').fetchSockets();
    assert.equal(found.length, 2);
    assert.equal(found.find(({ id }) => id === two.socket.id).data.name, 'ž');
    assert.equal(await from.io.of('/').adapter.serverCount(), 2);
  }
  a.io.in('room').socketsJoin('second');
  await until(() => two.socket.rooms.has('second'), 'joined');
  const gone = event(two.client, 'disconnect');
  a.io.in(two.socket.id).disconnectSockets(true);
  await gone;
  one.client.disconnect();
  await until(() => a.io.of('/').sockets.size === 0, 'gone');
}
