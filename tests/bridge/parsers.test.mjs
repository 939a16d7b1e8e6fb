// Any parser works: the core carries what it makes.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { open, pair } from '../support/clients.mjs';
import { event, events, record } from '../support/wait.mjs';
import { bound, countWrites, settled } from './support/bound.mjs';

const require = createRequire(import.meta.url);
const msgpack = require('socket.io-msgpack-parser');
const Emitter = require('events');

// Text that is not JSON in one line, in as many frames as `split` says.
function lines(split) {
  class Encoder {
    encode(packet) {
      return split(JSON.stringify(packet, null, 1));
    }
  }
  class Decoder extends Emitter {
    parts = '';

    add(part) {
      this.parts += typeof part === 'string' ? part : Buffer.from(part).toString();
      let packet;
      try {
        packet = JSON.parse(this.parts);
      } catch {
        return;
      }
      this.parts = '';
      this.emit('decoded', packet);
    }

    destroy() {
      this.parts = '';
    }
  }
  return { protocol: 5, Encoder, Decoder };
}

const half = (text) => [text.slice(0, text.length / 2), text.slice(text.length / 2)];
const parsers = {
  'socket.io-msgpack-parser': msgpack,
  'one text with line breaks': lines((text) => [text]),
  'several texts in a packet': lines(half),
  'bytes alone': lines((text) => [Buffer.from(text)]),
  'several messages of bytes': lines((text) => half(text).map((part) => Buffer.from(part))),
};
// These go to each recipient by themselves: the core's packet is a text with bytes behind it, or bytes alone.
const perRecipient = new Set(['several texts in a packet', 'several messages of bytes']);

for (const [name, parser] of Object.entries(parsers)) {
  for (const transport of ['websocket', 'polling']) {
    test(`${name}: events, acks and broadcasts keep their order over ${transport}`, async (t) => {
      const { io, url } = await bound(t, { options: { parser } });
      const arrived = event(io, 'connection');
      const client = open(url, { transport, parser });
      const [socket] = await arrived;
      socket.on('echo', (value, ack) => ack(value));
      assert.deepEqual(await client.emitWithAck('echo', ['ü\n', { a: 1 }]), ['ü\n', { a: 1 }]);
      const count = countWrites(io);
      const heard = events(client, 'step', 90);
      for (let i = 0; i < 90; i += 3) {
        socket.emit('step', i);
        io.emit('step', i + 1);
        io.to(socket.id).except('nobody').emit('step', i + 2);
      }
      assert.deepEqual((await heard).map(([i]) => i), Array.from({ length: 90 }, (_, i) => i));
      assert.equal(count.writes, perRecipient.has(name) ? 90 : 30);
    });
  }
}

test('a packet that the parser refuses closes its client as socket.io does', async (t) => {
  const { io, url } = await bound(t);
  const { socket, client } = await pair(io, url);
  const other = await pair(io, url);
  const errors = [];
  socket.on('error', (error) => errors.push(error.message));
  const ended = event(socket, 'disconnect');
  client.io.engine.write('9nonsense');
  assert.equal((await ended)[0], 'forced close');
  assert.match(errors[0], /unknown packet type 9/);
  const seen = record(other.client);
  io.emit('others');
  await settled(io, [other.client]);
  assert.equal(seen[0][0], 'others');
});
