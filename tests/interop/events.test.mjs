// Events and acks in both directions, over every transport and with both parsers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TRANSPORTS, pair, upgraded } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { isNative, msgpackParser } from '../support/subject.mjs';
import { deferred, event, events, within } from '../support/wait.mjs';

// A megabyte of each exceeds our default outbox; socket.io has no limit to lift.
const roomyOutbox = isNative ? { maxOutboxBytes: 16e6 } : {};

for (const parser of ['default', 'msgpack']) {
  for (const transport of Object.keys(TRANSPORTS)) {
    describe(`${transport}, ${parser} parser`, () => {
      async function start(t, options = {}) {
        const { io, url } = await serve(t, parser === 'msgpack' ? { ...options, parser: msgpackParser } : options);
        const ends = await pair(io, url, { transport, msgpack: parser === 'msgpack' });
        if (transport === 'upgrade') await upgraded(ends.client);
        return { io, url, ...ends };
      }

      test('both sides see the same 20-character id, which is not the session id', async (t) => {
        const { client, socket } = await start(t);
        assert.equal(client.id, socket.id);
        assert.match(socket.id, /^[A-Za-z0-9_-]{20}$/);
        assert.notEqual(client.id, client.io.engine.id);
        assert.equal(client.connected, true);
        assert.equal(socket.connected, true);
        assert.equal(socket.disconnected, false);
      });

      test('the transport is the one asked for', async (t) => {
        const { client } = await start(t);
        assert.equal(client.io.engine.transport.name, transport === 'polling' ? 'polling' : 'websocket');
      });

      test('an event without arguments arrives without arguments', async (t) => {
        const { client, socket } = await start(t);
        const atServer = event(socket, 'bare');
        client.emit('bare');
        assert.deepEqual(await atServer, []);
        const atClient = event(client, 'bare');
        socket.emit('bare');
        assert.deepEqual(await atClient, []);
      });

      test('twelve arguments of every JSON kind arrive in order, both ways', async (t) => {
        const { client, socket } = await start(t);
        const args = [1, 'two', true, false, null, 4.5, -6, [7, [8]], { nine: { ten: [] } }, '', 0, {}];
        const atServer = event(socket, 'many');
        client.emit('many', ...args);
        assert.deepEqual(await atServer, args);
        const atClient = event(client, 'many');
        socket.emit('many', ...args);
        assert.deepEqual(await atClient, args);
      });

      test('a client emit is acked with every argument the server gives', async (t) => {
        const { client, socket } = await start(t);
        socket.on('sum', (a, b, ack) => ack(a + b, { kept: [a, b] }, null));
        const answer = deferred();
        client.emit('sum', 2, 3, (...args) => answer.resolve(args));
        assert.deepEqual(await within(answer.promise, 'ack'), [5, { kept: [2, 3] }, null]);
      });

      test('a server emit is acked with every argument the client gives', async (t) => {
        const { client, socket } = await start(t);
        client.on('sum', (a, b, ack) => ack(a + b, 'more'));
        const answer = deferred();
        socket.emit('sum', 2, 3, (...args) => answer.resolve(args));
        assert.deepEqual(await within(answer.promise, 'ack'), [5, 'more']);
      });

      test('emitWithAck resolves with the first argument on both sides', async (t) => {
        const { client, socket } = await start(t);
        client.on('q', (x, ack) => ack(`client ${x}`, 'beyond the first'));
        socket.on('q', (x, ack) => ack(`server ${x}`, 'beyond the first'));
        assert.equal(await within(socket.emitWithAck('q', 1), 'server ack'), 'client 1');
        assert.equal(await within(client.emitWithAck('q', 2), 'client ack'), 'server 2');
      });

      test('fifty acks in flight each find their own caller', async (t) => {
        const { client, socket } = await start(t);
        socket.on('n', (n, ack) => (n % 2 ? setImmediate(ack, n) : ack(n)));
        client.on('n', (n, ack) => (n % 2 ? ack(n) : setImmediate(ack, n)));
        const numbers = Array.from({ length: 50 }, (_, n) => n);
        const up = Promise.all(numbers.map((n) => client.emitWithAck('n', n)));
        const down = Promise.all(numbers.map((n) => socket.emitWithAck('n', n)));
        assert.deepEqual(await within(up, 'client acks'), numbers);
        assert.deepEqual(await within(down, 'server acks'), numbers);
      });

      test('an ack called twice answers once', async (t) => {
        const { client, socket } = await start(t);
        const answers = [];
        socket.on('twice', (ack) => {
          ack('first');
          ack('second');
          socket.emit('after');
        });
        const after = event(client, 'after');
        client.emit('twice', (value) => answers.push(value));
        await after;
        assert.deepEqual(answers, ['first']);
      });

      test('an unanswered ack runs into its timeout on either side', async (t) => {
        const { client, socket } = await start(t);
        const bySocket = deferred();
        socket.timeout(30).emit('silence', (error, ...rest) => bySocket.resolve([error, rest]));
        const [error, rest] = await within(bySocket.promise, 'timeout');
        assert.equal(error.message, 'operation has timed out');
        assert.deepEqual(rest, []);
        await assert.rejects(socket.timeout(30).emitWithAck('silence'), /operation has timed out/);
        await assert.rejects(client.timeout(30).emitWithAck('silence'), /operation has timed out/);
      });

      test('with a timeout an answer in time comes as (null, answer)', async (t) => {
        const { client, socket } = await start(t);
        client.on('q', (ack) => ack('a', 'b'));
        const answer = deferred();
        socket.timeout(2000).emit('q', (...args) => answer.resolve(args));
        assert.deepEqual(await within(answer.promise, 'ack'), [null, 'a', 'b']);
      });

      test('a buffer nested in an argument survives both ways, and in acks', async (t) => {
        const { client, socket } = await start(t);
        const bytes = Buffer.from([0, 1, 2, 127, 128, 254, 255]);
        const atServer = event(socket, 'bin');
        client.emit('bin', 'x', { deep: [{ bytes }] }, bytes);
        const [text, nested, direct] = await atServer;
        assert.equal(text, 'x');
        assert.ok(Buffer.isBuffer(direct));
        assert.deepEqual(direct, bytes);
        assert.deepEqual(Buffer.from(nested.deep[0].bytes), bytes);

        client.on('bin', (value, ack) => ack({ same: value.bytes }));
        const back = await within(socket.emitWithAck('bin', { bytes }), 'binary ack');
        assert.deepEqual(Buffer.from(back.same), bytes);

        socket.on('bin up', (value, ack) => ack([value, 'text', value]));
        const up = await within(client.emitWithAck('bin up', bytes), 'binary ack');
        assert.deepEqual(Buffer.from(up[0]), bytes);
        assert.deepEqual(Buffer.from(up[2]), bytes);
        assert.equal(up[1], 'text');
      });

      test('a megabyte of text and a megabyte of bytes arrive whole, both ways', async (t) => {
        const { client, socket } = await start(t, { maxHttpBufferSize: 4e6, ...roomyOutbox });
        const text = 'é€😀x'.repeat(100_000);
        const bytes = Buffer.alloc(1_000_000, 'kraken');
        socket.on('big', (a, b, ack) => ack(a, b));
        const answer = deferred();
        client.emit('big', text, bytes, (...args) => answer.resolve(args));
        const [gotText, gotBytes] = await within(answer.promise, 'big ack');
        assert.ok(gotText === text, 'text differs');
        assert.ok(bytes.equals(gotBytes), 'bytes differ');
      });

      test('a hundred emits arrive in the order they were made, both ways', async (t) => {
        const { client, socket } = await start(t);
        const numbers = Array.from({ length: 100 }, (_, n) => [n]);
        const atServer = events(socket, 'n', 100);
        for (const [n] of numbers) client.emit('n', n);
        assert.deepEqual(await atServer, numbers);
        const atClient = events(client, 'n', 100);
        for (const [n] of numbers) socket.emit('n', n);
        assert.deepEqual(await atClient, numbers);
      });
    });
  }
}

test('emits made while the transport is being upgraded arrive once and in order', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url, { transport: 'upgrade' });
  const total = 300;
  const down = events(client, 'n', total);
  const up = events(socket, 'n', total);
  let sent = 0;
  const pump = () => {
    for (let i = 0; i < 10; i += 1, sent += 1) {
      socket.emit('n', sent);
      client.emit('n', sent);
    }
    if (sent < total) setImmediate(pump);
  };
  pump();
  const expected = Array.from({ length: total }, (_, n) => [n]);
  assert.deepEqual(await down, expected);
  assert.deepEqual(await up, expected);
  await upgraded(client);
});
