// permessage-deflate on WebSockets and gzip on polling answers: negotiated, used, and content unharmed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { enginePath, openPolling } from '../support/http.mjs';
import { nativeOnly } from '../support/subject.mjs';
import { event, until, within } from '../support/wait.mjs';

async function rawSocket(t, url, options) {
  const ws = new WebSocket(url.replace('http', 'ws') + enginePath('EIO=4&transport=websocket'), options);
  t.after(() => ws.terminate());
  await event(ws, 'open');
  return ws;
}

const TEXT = 'kraken says the same thing again and again. '.repeat(3000);

// Bytes that came over the raw connection while `work` ran.
async function received(client, work) {
  const { _socket: socket } = client.io.engine.transport.ws;
  const before = socket.bytesRead;
  await work();
  return socket.bytesRead - before;
}

test('it is off by default, also when the client offers it', async (t) => {
  const { url } = await serve(t);
  const ws = await rawSocket(t, url, { perMessageDeflate: true });
  assert.equal(ws.extensions, '');
});

test('it is not used with a client that does not offer it', async (t) => {
  const { url } = await serve(t, { perMessageDeflate: true });
  const ws = await rawSocket(t, url, { perMessageDeflate: false });
  assert.equal(ws.extensions, '');
});

test('it is negotiated when both sides want it', async (t) => {
  const { url } = await serve(t, { perMessageDeflate: true });
  const ws = await rawSocket(t, url, { perMessageDeflate: true });
  assert.match(ws.extensions, /^permessage-deflate/);
});

for (const perMessageDeflate of [false, true, { threshold: 100 }]) {
  test(`big texts and bytes arrive whole with perMessageDeflate ${JSON.stringify(perMessageDeflate)}`, async (t) => {
    const { io, url } = await serve(t, { perMessageDeflate, maxHttpBufferSize: 4e6 });
    const { client, socket } = await pair(io, url, { perMessageDeflate: { threshold: 100 } });
    socket.on('echo', (text, bytes, ack) => ack(text, bytes));
    const noise = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i * 31 + i) & 255));
    for (const text of ['', 'short', TEXT, 'é😀'.repeat(20_000)]) {
      const answer = new Promise((resolve) => client.emit('echo', text, noise, (...args) => resolve(args)));
      const [gotText, gotNoise] = await within(answer, 'echo');
      assert.ok(gotText === text);
      assert.ok(noise.equals(gotNoise));
    }
  });
}

test('a compressed broadcast reaches members with and without the extension and over polling', async (t) => {
  const { io, url } = await serve(t, { perMessageDeflate: { threshold: 1024 } });
  const withIt = await pair(io, url, { perMessageDeflate: { threshold: 1024 } });
  const without = await pair(io, url, { perMessageDeflate: false });
  const polling = await pair(io, url, { transport: 'polling' });
  const members = [withIt, without, polling];
  for (const { socket } of members) socket.join('room');
  for (let round = 0; round < 5; round += 1) {
    const got = members.map(({ client }) => event(client, 'news'));
    io.to('room').emit('news', round, TEXT, Buffer.from(TEXT));
    for (const [n, text, bytes] of await Promise.all(got)) {
      assert.equal(n, round);
      assert.ok(text === TEXT);
      assert.ok(Buffer.from(TEXT).equals(bytes));
    }
  }
});

async function sender(t) {
  const { io, url } = await serve(t, { perMessageDeflate: { threshold: 1024 } });
  const { client, socket } = await pair(io, url, { perMessageDeflate: { threshold: 1024 } });
  // The bytes that one emit of `target` costs on the wire.
  async function cost(target, ...args) {
    return received(client, async () => {
      const got = event(client, 'x');
      target.emit('x', ...args);
      await got;
    });
  }
  return { io, socket, cost };
}

test('compression saves bytes on the wire', async (t) => {
  const { io, socket, cost } = await sender(t);
  assert.ok((await cost(socket, TEXT)) < TEXT.length / 10, 'emit');
  assert.ok((await cost(io, TEXT)) < TEXT.length / 10, 'broadcast');
});

// engine.io 6.6 sets the flag and its WebSocket transport ignores it; ws minds the threshold only without context
// takeover, which is how we always compress.
test('compress(false) and messages below the threshold go plain', nativeOnly, async (t) => {
  const { io, socket, cost } = await sender(t);
  assert.ok((await cost(socket.compress(false), TEXT)) > TEXT.length, 'emit');
  assert.ok((await cost(io.compress(false), TEXT)) > TEXT.length, 'broadcast');
  assert.ok((await cost(socket, 'a'.repeat(200))) > 200, 'below the threshold');
});

const DECODERS = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

async function bigPoll(t, options, acceptEncoding) {
  const { io, url } = await serve(t, options);
  const arrived = event(io, 'connection');
  const session = await openPolling(url);
  await session.post('40');
  const [socket] = await arrived;
  await session.get();
  const headers = acceptEncoding ? { 'accept-encoding': acceptEncoding } : {};
  const answer = session.get({ headers });
  socket.emit('big', TEXT);
  return answer;
}

for (const coding of ['gzip', 'deflate']) {
  test(`a big polling answer is ${coding} for a client that accepts it`, async (t) => {
    const answer = await bigPoll(t, {}, coding);
    assert.equal(answer.headers['content-encoding'], coding);
    assert.equal(DECODERS[coding](answer.body).toString(), `42["big",${JSON.stringify(TEXT)}]`);
  });
}

test('big polling answers are plain where the client, the option or the threshold says so', async (t) => {
  const expected = `42["big",${JSON.stringify(TEXT)}]`;
  for (const [options, accepts] of [[{}, undefined], [{ httpCompression: false }, 'gzip'],
    [{ httpCompression: { threshold: 1e6 } }, 'gzip']]) {
    const answer = await bigPoll(t, options, accepts);
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.equal(answer.text, expected);
  }
});

test('clients that ask for compression on both transports go through an upgrade unharmed', async (t) => {
  const { io, url } = await serve(t, { perMessageDeflate: true });
  const { client, socket } = await pair(io, url, { transport: 'upgrade', perMessageDeflate: { threshold: 10 } });
  const got = [];
  client.on('n', (n, text) => got.push([n, text.length]));
  for (let n = 0; n < 50; n += 1) {
    socket.emit('n', n, TEXT.slice(0, n * 100));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => got.length === 50, 'fifty events');
  assert.deepEqual(got, Array.from({ length: 50 }, (_, n) => [n, n * 100]));
});
