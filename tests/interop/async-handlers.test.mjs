// Events of several clients may reach JavaScript together; promises of one handler settle before the next client's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';

test('an async handler answers from its own time: later broadcasts of others come after its ack', async (t) => {
  const { io, url } = await serve(t);
  const members = [];
  io.on('connection', (socket) => {
    socket.on('snapshot', async (ack) => {
      socket.join('room');
      const seen = [...members];
      await null;
      await null;
      ack(seen);
    });
    socket.on('enter', (name) => {
      members.push(name);
      io.to('room').emit('entered', name);
    });
  });
  const [viewer, ...others] = await Promise.all(
    Array.from({ length: 8 }, () => connect(url, { transports: ['websocket'] })),
  );
  for (let round = 0; round < 50; round += 1) {
    const known = [];
    viewer.removeAllListeners('entered');
    viewer.on('entered', (name) => known.push(name));
    const names = others.map((_, at) => `${round}.${at}`);
    const done = new Promise((resolve) => {
      viewer.emit('snapshot', (seen) => {
        // The snapshot replaces what was known, as applications do it.
        known.splice(0, known.length, ...seen);
        resolve();
      });
    });
    others.forEach((other, at) => other.emit('enter', names[at]));
    await done;
    await Promise.all(others.map((other) => other.timeout(5000).emitWithAck('snapshot')));
    await viewer.timeout(5000).emitWithAck('snapshot');
    assert.deepEqual(names.filter((name) => !known.includes(name)), []);
  }
});
