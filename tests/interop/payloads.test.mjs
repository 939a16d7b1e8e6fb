// What values look like after the wire: the rules are those of JSON.stringify plus attachments.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { deferred, event, within } from '../support/wait.mjs';

async function roundTrip(t, transport = 'websocket') {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url, { transport });
  return {
    io,
    client,
    socket,
    up: async (...args) => {
      const arrived = event(socket, 'value');
      client.emit('value', ...args);
      return arrived;
    },
    down: async (...args) => {
      const arrived = event(client, 'value');
      socket.emit('value', ...args);
      return arrived;
    },
  };
}

const TEXTS = {
  'two-byte': 'é ß ñ',
  'three-byte': '€ 中文 ไทย',
  emoji: '😀 👩‍👩‍👧‍👦 🏳️‍🌈',
  'escapes': 'quote " backslash \\ slash / tab \t newline \n return \r null \u0000 bell \u0007 del \u007f',
  'line separators': '\u2028 \u2029 \ufeff',
  'lone high surrogate': 'a\ud800b',
  'lone low surrogate': 'a\udfffb',
  'swapped surrogates': '\udc00\ud800',
  'record separator of polling payloads': 'a\u001eb',
  'looks like a packet': '42["x"]\u001e2',
  'prototype names': '__proto__ constructor',
};

for (const transport of ['websocket', 'polling']) {
  test(`texts arrive unchanged over ${transport}`, async (t) => {
    const { up, down } = await roundTrip(t, transport);
    for (const [name, text] of Object.entries(TEXTS)) {
      assert.deepEqual(await up(text, { [text]: text }), [text, { [text]: text }], `${name}, up`);
      assert.deepEqual(await down(text, { [text]: text }), [text, { [text]: text }], `${name}, down`);
    }
  });

  test(`event names may hold anything a string holds, over ${transport}`, async (t) => {
    const { client, socket } = await roundTrip(t, transport);
    for (const name of [...Object.values(TEXTS), '', ' ', '["a"]', '1', 'a,b', '/nsp,', 'toString', '__proto__']) {
      const atServer = event(socket, name);
      client.emit(name, name);
      assert.deepEqual(await atServer, [name]);
      const atClient = event(client, name);
      socket.emit(name, name);
      assert.deepEqual(await atClient, [name]);
    }
  });
}

test('numbers at the edges are those of JSON', async (t) => {
  const { up, down } = await roundTrip(t);
  const numbers = [
    0, 1, -1, 0.1, -0.5, 1e21, 1e-7, 123456789012345680000, Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON,
    Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, 2 ** 63, 2 ** 64, -(2 ** 63), 4294967296, -2147483649,
  ];
  assert.deepEqual(await up(...numbers), numbers);
  assert.deepEqual(await down(...numbers), numbers);
  const notJson = [NaN, Infinity, -Infinity];
  assert.deepEqual(await up(...notJson), [null, null, null]);
  assert.deepEqual(await down(...notJson), [null, null, null]);
});

test('undefined is null in an argument list and in arrays, and absent in objects', async (t) => {
  const { up, down } = await roundTrip(t);
  const args = [undefined, null, [undefined], { gone: undefined, stays: null }];
  const expected = [null, null, [null], { stays: null }];
  assert.deepEqual(await up(...args), expected);
  assert.deepEqual(await down(...args), expected);
});

test('a Date becomes its ISO text and toJSON decides for any object', async (t) => {
  const { up, down } = await roundTrip(t);
  const when = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  const args = [when, { when, list: [when] }, { toJSON: () => ({ shown: true }), hidden: 1 }];
  const text = '2026-01-02T03:04:05.678Z';
  const expected = [text, { when: text, list: [text] }, { shown: true }];
  assert.deepEqual(await up(...args), expected);
  assert.deepEqual(await down(...args), expected);
});

test('functions and symbols inside objects vanish, Map and Set are empty objects', async (t) => {
  const { down } = await roundTrip(t);
  assert.deepEqual(await down({ f() {}, s: Symbol('s'), m: new Map([[1, 2]]), n: 1 }, 'end'), [{ m: {}, n: 1 }, 'end']);
});

test('values that JSON.stringify refuses throw at emit and nothing is sent', async (t) => {
  const { client, socket } = await roundTrip(t);
  const circle = {};
  circle.self = circle;
  assert.throws(() => socket.emit('value', circle));
  assert.throws(() => socket.emit('value', 10n), TypeError);
  let early = false;
  client.on('value', () => { early = true; });
  const after = event(client, 'after');
  socket.emit('after', 1);
  assert.deepEqual(await after, [1]);
  assert.equal(early, false);
});

test('deeply nested and wide values arrive whole', async (t) => {
  const { up, down } = await roundTrip(t);
  let deep = 'bottom';
  for (let i = 0; i < 100; i += 1) deep = i % 2 ? [deep] : { deep };
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i]));
  assert.deepEqual(await up(deep, wide), [deep, wide]);
  assert.deepEqual(await down(deep, wide), [deep, wide]);
});

test('own keys named like prototype members are data', async (t) => {
  const { up, down } = await roundTrip(t);
  const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"_placeholder":false,"num":0}');
  const [atServer] = await up(value);
  assert.equal(JSON.stringify(atServer), JSON.stringify(value));
  const [atClient] = await down(value);
  assert.equal(JSON.stringify(atClient), JSON.stringify(value));
  assert.equal({}.polluted, undefined);
});

for (const transport of ['websocket', 'polling']) {
  test(`buffers, array buffers and every typed array become attachments over ${transport}`, async (t) => {
    const { io, client, socket, up, down } = await roundTrip(t, transport);
    const memory = new Uint8Array([9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 9]).buffer;
    const kinds = {
      Buffer: Buffer.from([1, 2, 3]),
      'empty Buffer': Buffer.alloc(0),
      ArrayBuffer: new Uint8Array([4, 5]).buffer,
      'Uint8Array window': new Uint8Array(memory, 1, 4),
      Uint16Array: new Uint16Array([1, 65535]),
      Int32Array: new Int32Array([-1, 1]),
      Float64Array: new Float64Array([Math.PI]),
      DataView: new DataView(memory, 2, 3),
    };
    for (const [name, value] of Object.entries(kinds)) {
      const expected = ArrayBuffer.isView(value)
        ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
        : Buffer.from(value);
      const [atServer] = await up(value);
      assert.ok(Buffer.isBuffer(atServer), `${name}: the server gets a Buffer`);
      assert.deepEqual(atServer, expected, `${name}, up`);
      const [atClient] = await down({ list: ['before', value, 'after'] });
      assert.deepEqual(Buffer.from(atClient.list[1]), expected, `${name}, down`);
      assert.equal(atClient.list[2], 'after');
      const broadcasts = {
        all: () => io.emit('value', value),
        'a room': () => io.to(socket.id).emit('value', value),
        'all but a room': () => io.except('nobody').emit('value', value),
        'all, with acks': () => io.timeout(5000).emit('value', value, () => {}),
      };
      for (const [target, broadcast] of Object.entries(broadcasts)) {
        const arrived = event(client, 'value');
        broadcast();
        assert.deepEqual(Buffer.from((await arrived)[0]), expected, `${name}, to ${target}`);
      }
    }
  });

  test(`ten attachments in one event keep their places over ${transport}`, async (t) => {
    const { up, down } = await roundTrip(t, transport);
    const parts = Array.from({ length: 10 }, (_, i) => Buffer.alloc(i + 1, i));
    const shape = { list: parts.slice(0, 5), map: Object.fromEntries(parts.slice(5).map((p, i) => [`k${i}`, p])) };
    const check = ([value]) => {
      value.list.forEach((p, i) => assert.deepEqual(Buffer.from(p), parts[i]));
      Object.values(value.map).forEach((p, i) => assert.deepEqual(Buffer.from(p), parts[5 + i]));
    };
    check(await up(shape));
    check(await down(shape));
  });
}

test('text and binary events keep their order', async (t) => {
  const { client, socket } = await roundTrip(t);
  const seen = [];
  const done = deferred();
  socket.on('mixed', (n) => {
    seen.push(Buffer.isBuffer(n) ? n[0] : n);
    if (seen.length === 40) done.resolve();
  });
  for (let n = 0; n < 40; n += 1) client.emit('mixed', n % 2 ? Buffer.from([n]) : n);
  await within(done.promise, '40 events');
  assert.deepEqual(seen, Array.from({ length: 40 }, (_, n) => n));
});

test('a packet with eleven attachments closes that client and no other', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const { client: other, socket: otherSocket } = await pair(io, url);
  const gone = event(socket, 'disconnect');
  client.emit('value', Array.from({ length: 11 }, (_, i) => Buffer.from([i])));
  assert.equal((await gone)[0], 'forced close');
  const alive = event(otherSocket, 'alive');
  other.emit('alive');
  await alive;
});

for (const transport of ['websocket', 'polling']) {
  test(`strings of a megabyte, and of bytes that cost three each, over ${transport}`, async (t) => {
    const { io, url } = await serve(t, { maxHttpBufferSize: 8e6 });
    const { client, socket } = await pair(io, url, { transport });
    for (const text of ['a'.repeat(1_000_000), '€'.repeat(1_000_000), 'a\ud800'.repeat(500_000), '"\\\u0000'.repeat(333_000)]) {
      const up = event(socket, 'value');
      client.emit('value', text);
      assert.ok((await up)[0] === text);
      const down = event(client, 'value');
      socket.emit('value', text);
      assert.ok((await down)[0] === text);
      const shared = event(client, 'value');
      io.emit('value', text);
      assert.ok((await shared)[0] === text);
    }
  });
}

test('binary parts are found wherever JSON would look: deep down, in toJSON, in ack arguments, in views of views', async (t) => {
  const { up, down, client, socket } = await roundTrip(t);
  const bytes = Buffer.from([0, 1, 254, 255]);
  const part = new Uint8Array(new Uint8Array([9, 8, 7, 6]).buffer, 1, 2);
  const value = { a: [{ b: { c: bytes } }, null], shown: { toJSON: () => ({ inside: bytes, part }) }, words: new Uint16Array([258]) };
  const expected = { a: [{ b: { c: bytes } }, null], shown: { inside: bytes, part: Buffer.from([8, 7]) }, words: Buffer.from([2, 1]) };
  assert.deepEqual(await up(value, 'end'), [expected, 'end']);
  assert.deepEqual(await down(value, 'end'), [expected, 'end']);
  socket.on('ask', (got, ack) => ack({ got }, [part]));
  assert.deepEqual(await client.timeout(5000).emitWithAck('ask', bytes), { got: bytes });
  client.on('ask', (got, ack) => ack({ got: [got] }));
  assert.deepEqual(await socket.timeout(5000).emitWithAck('ask', bytes), { got: [bytes] });
});

test('sparse arrays, boxed values, symbols as keys and getters are what JSON makes of them', async (t) => {
  const { up, down } = await roundTrip(t);
  // eslint-disable-next-line no-sparse-arrays
  const args = [[1, , 3], new String('boxed'), new Number(5), Object(true), { [Symbol('s')]: 1, get computed() { return 2; } }, -0];
  const expected = JSON.parse(JSON.stringify(args));
  assert.deepEqual(await up(...args), expected);
  assert.deepEqual(await down(...args), expected);
});

for (const transport of ['websocket', 'polling', 'upgrade']) {
  test(`a client that keeps to text sends and gets binary over ${transport}`, async (t) => {
    const { io, url } = await serve(t);
    const { client, socket } = await pair(io, url, { transport, forceBase64: true });
    socket.on('bytes', (...args) => args.pop()(args));
    for (const bytes of [Buffer.alloc(0), Buffer.from([1]), Buffer.from(Array.from({ length: 300 }, (_, i) => i & 255))]) {
      const [text, back, deep] = await client.timeout(5000).emitWithAck('bytes', 'text', bytes, { deep: [bytes] });
      assert.equal(text, 'text');
      assert.deepEqual(Buffer.from(back), bytes);
      assert.deepEqual(Buffer.from(deep.deep[0]), bytes);
    }
    const got = event(client, 'down');
    io.emit('down', Buffer.from('to all'));
    assert.equal(Buffer.from((await got)[0]).toString(), 'to all');
  });
}
