// permessage-deflate (RFC 7692), offered or not, honest or not.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import zlib from 'node:zlib';
import { frame, OP, RSV1, RSV2, text } from './support/frames.mjs';
import { Neighbour, SocketIoClient } from './support/socketio.mjs';
import { startServer } from './support/server.mjs';
import { WebSocketClient } from './support/websocket.mjs';

const LIMIT = 1_000_000;
const THRESHOLD = 1024;
const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover; client_no_context_takeover' };
const plain = await startServer();
const server = await startServer({ maxHttpBufferSize: LIMIT, perMessageDeflate: { threshold: THRESHOLD } });
after(async () => {
  await server.close();
  await plain.close();
});
const neighbour = await Neighbour.join(server.port);

/** RFC 7692 §7.2.1: raw deflate, flushed, without the four bytes that every flush ends with. */
function deflate(message) {
  const whole = zlib.deflateRawSync(message, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  return whole.subarray(0, whole.length - 4);
}

function inflate(payload) {
  return zlib.inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString();
}

const compressed = (message, options) => text(deflate(message), { rsv: RSV1, ...options });

function negotiated(name, steps) {
  test(name, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => steps(await SocketIoClient.connect(server.port, { headers: OFFER }))));
}

function refuses(name, bytes, ...codes) {
  negotiated(`${name} is closed with ${codes.join(' or ')}`, async (client) => {
    await client.ws.send(bytes);
    const { code } = await client.ending();
    assert.ok(codes.includes(code), `close code ${code}`);
    assert.equal(await server.ends.reasonOf(client.id), 'transport error');
  });
}

test('it is off by default: an offer is not answered, a compressed frame is refused', { timeout: 15_000 }, async () => {
  const client = await SocketIoClient.connect(plain.port, { headers: OFFER });
  assert.equal(client.ws.response.headers['sec-websocket-extensions'], undefined);
  await client.ws.send(compressed('420["echo",1]'));
  assert.equal((await client.ending()).code, 1002);
});

test('a client that does not offer it gets none and may send none', { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
  const client = await SocketIoClient.connect(server.port);
  assert.equal(client.ws.response.headers['sec-websocket-extensions'], undefined);
  await client.echo('x'.repeat(THRESHOLD * 4));
  await client.ws.send(compressed('420["echo",1]'));
  assert.equal((await client.ending()).code, 1002);
}));

for (const offer of [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'x-unknown, permessage-deflate; client_no_context_takeover',
  'permessage-deflate; client_max_window_bits=9999, permessage-deflate',
]) {
  test(`the offer "${offer}" is accepted or left aside, never misread`, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
    const client = await WebSocketClient.open(server.port, { headers: { 'Sec-WebSocket-Extensions': offer } }).catch((error) => error);
    if (client instanceof Error) return assert.match(client.message, /refused: 400/);
    const answer = client.response.headers['sec-websocket-extensions'] ?? '';
    if (answer) assert.match(answer, /^permessage-deflate(; *(server_no_context_takeover|client_no_context_takeover|(client|server)_max_window_bits=\d+))*$/);
    client.tcp.destroy();
    return undefined;
  }));
}

negotiated('compressed messages are read, one by one and in fragments', async ({ ws }) => {
  assert.match(ws.response.headers['sec-websocket-extensions'], /^permessage-deflate/);
  await ws.send(compressed('421["echo","one"]'));
  assert.equal(await ws.nextText(), '431["one"]');
  const bytes = deflate(`422["echo","${'two'.repeat(50)}"]`);
  await ws.send(text(bytes.subarray(0, 7), { fin: false, rsv: RSV1 }));
  await ws.send(frame(OP.PING, 'between'));
  assert.equal((await ws.nextFrame()).opcode, OP.PONG);
  await ws.send(frame(OP.CONTINUATION, bytes.subarray(7)));
  assert.equal(await ws.nextText(), `432["${'two'.repeat(50)}"]`);
});

negotiated('an uncompressed message is still read', async (client) => {
  await client.echo('plain');
});

negotiated('a message from the threshold on is sent compressed, a smaller one is not', async ({ ws }) => {
  await ws.sendText('421["echo","small"]');
  assert.equal(await ws.nextText(), '431["small"]');
  const long = 'é€😀 long '.repeat(1000);
  for (let id = 2; id < 5; id++) {
    await ws.sendText(`42${id}["echo","${long}"]`);
    const answer = await ws.nextFrame();
    assert.equal(answer.rsv, RSV1);
    assert.equal(inflate(answer.payload), `43${id}["${long}"]`);
    assert.ok(answer.payload.length < 1000);
  }
});

negotiated('a broadcast reaches a compressing and a plain client alike', async ({ ws, id }) => {
  const other = await SocketIoClient.connect(server.port);
  const long = 'broadcast '.repeat(500);
  server.io.to(other.id).to(id).emit('news', long);
  const answer = await ws.nextFrame();
  assert.equal(answer.rsv, RSV1);
  assert.equal(inflate(answer.payload), `42["news","${long}"]`);
  assert.equal(await other.nextPacket(), `42["news","${long}"]`);
});

refuses('RSV1 on a continuation', Buffer.concat([compressed('42["x"]', { fin: false }), frame(OP.CONTINUATION, 'x', { rsv: RSV1 })]), 1002);
refuses('RSV1 on a ping', frame(OP.PING, 'x', { rsv: RSV1 }), 1002);
refuses('RSV2, which nobody negotiated', text('42["x"]', { rsv: RSV1 | RSV2 }), 1002);
refuses('a corrupt deflate stream', text(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x12]), { rsv: RSV1 }), 1002, 1007);
refuses('a stored block whose length contradicts itself', text(Buffer.from([0x00, 0x05, 0x00, 0x05, 0x00, 1, 2, 3, 4, 5]), { rsv: RSV1 }), 1002, 1007);
refuses('compressed text that is not UTF-8', text(deflate(Buffer.from([0x34, 0x32, 0xff, 0xfe])), { rsv: RSV1 }), 1007);
refuses('a compression bomb', text(deflate(Buffer.alloc(200_000_000, 0x34)), { rsv: RSV1 }), 1009);
refuses('a message one byte too long once inflated', compressed('4'.padEnd(LIMIT + 1, 'x')), 1009);

negotiated('a message of exactly maxHttpBufferSize once inflated is taken', async ({ ws }) => {
  const [head, tail] = ['421["echo","', '"]'];
  await ws.send(compressed(head + 'x'.repeat(LIMIT - head.length - tail.length) + tail));
  const answer = await ws.nextFrame();
  assert.equal(inflate(answer.payload).length, LIMIT - '"echo",'.length);
});

negotiated('bombs one after the other do not add up', async () => {
  const bomb = text(deflate(Buffer.alloc(50_000_000, 0x34)), { rsv: RSV1 });
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 20; i++) {
    const client = await SocketIoClient.connect(server.port, { headers: OFFER });
    await client.ws.send(bomb);
    assert.equal((await client.ending()).code, 1009);
  }
  const grown = process.memoryUsage.rss() - before;
  assert.ok(grown < 200e6, `memory grew by ${grown} bytes for ${20 * 50e6} bytes of bombs`);
});
