// RFC 6455 on the wire: frames no library sends, and the odd ones that are allowed.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { binary, closePayload, frame, OP, RSV1, RSV2, RSV3, text } from './support/frames.mjs';
import { Neighbour, SocketIoClient } from './support/socketio.mjs';
import { startServer } from './support/server.mjs';

const LIMIT = 100_000;
const server = await startServer({ maxHttpBufferSize: LIMIT });
after(() => server.close());
const neighbour = await Neighbour.join(server.port);
const PING_REQUEST = '4217["echo","still here"]';
const PING_ANSWER = '4317["still here"]';

/** A client sends `bytes`; the server closes with one of `codes` and tells its host a transport error. */
function refuses(name, bytes, ...codes) {
  test(`${name} is closed with ${codes.join(' or ')}`, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
    const client = await SocketIoClient.connect(server.port);
    await client.ws.send(bytes);
    const { code } = await client.ending();
    assert.ok(codes.includes(code), `close code ${code}`);
    assert.equal(await server.ends.reasonOf(client.id), 'transport error');
  }));
}

refuses('an unmasked text frame', text(PING_REQUEST, { masked: false }), 1002);
refuses('an unmasked ping', frame(OP.PING, 'x', { masked: false }), 1002);
refuses('RSV1 that was not negotiated', text(PING_REQUEST, { rsv: RSV1 }), 1002);
refuses('RSV2', text(PING_REQUEST, { rsv: RSV2 }), 1002);
refuses('RSV3', text(PING_REQUEST, { rsv: RSV3 }), 1002);
refuses('a reserved bit in a control frame', frame(OP.PING, '', { rsv: RSV1 }), 1002);
for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
  refuses(`reserved opcode ${opcode}`, frame(opcode, 'x'), 1002);
}

refuses('a frame of one byte more than maxHttpBufferSize', text('4'.padEnd(LIMIT + 1, 'x')), 1009);
refuses('a frame that only declares 4 GiB', text('4', { declaredLength: 2n ** 32n }), 1009);
refuses('a frame that declares 2^63 bytes', text('4', { declaredLength: 2n ** 63n }), 1002, 1009);
refuses('a message whose fragments together exceed maxHttpBufferSize', Buffer.concat([
  text('4'.padEnd(LIMIT - 10, 'x'), { fin: false }),
  frame(OP.CONTINUATION, 'x'.repeat(5), { fin: false }),
  frame(OP.CONTINUATION, 'x'.repeat(6)),
]), 1009);

refuses('invalid UTF-8 in a text frame', text(Buffer.from([0x34, 0x32, 0xc3, 0x28])), 1007);
refuses('a UTF-16 surrogate in UTF-8', text(Buffer.from([0x34, 0x32, 0xed, 0xa0, 0x80])), 1007);
refuses('an overlong UTF-8 sequence', text(Buffer.from([0x34, 0x32, 0xc0, 0xaf])), 1007);
refuses('a text frame that ends inside a character', text(Buffer.from([0x34, 0x32, 0xe2, 0x82])), 1007);
refuses('invalid UTF-8 spread over fragments', Buffer.concat([
  text(Buffer.from([0x34, 0x32, 0xe2]), { fin: false }),
  frame(OP.CONTINUATION, Buffer.from([0x28, 0xa1])),
]), 1007);

refuses('a close frame with a payload of one byte', frame(OP.CLOSE, 'x'), 1002);
for (const code of [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535]) {
  refuses(`close code ${code}`, frame(OP.CLOSE, closePayload(code)), 1002);
}
refuses('a close reason that is not UTF-8', frame(OP.CLOSE, Buffer.concat([closePayload(1000), Buffer.from([0xff])])), 1007);

refuses('a fragmented ping', frame(OP.PING, 'x', { fin: false }), 1002);
refuses('a fragmented close', frame(OP.CLOSE, closePayload(1000), { fin: false }), 1002);
refuses('a ping of 126 bytes', frame(OP.PING, 'x'.repeat(126)), 1002);
refuses('a pong of 70000 bytes', frame(OP.PONG, 'x'.repeat(70_000)), 1002);
refuses('a close of 126 bytes', frame(OP.CLOSE, closePayload(1000, 'x'.repeat(124))), 1002);

refuses('a continuation that continues nothing', frame(OP.CONTINUATION, PING_REQUEST), 1002);
refuses('a continuation after a finished message', Buffer.concat([
  text('4', { fin: false }), frame(OP.CONTINUATION, PING_REQUEST.slice(1)), frame(OP.CONTINUATION, 'more'),
]), 1002);
refuses('a text frame inside a fragmented message', Buffer.concat([text('4', { fin: false }), text('2')]), 1002);
refuses('a binary frame inside a fragmented message', Buffer.concat([text('4', { fin: false }), binary('2')]), 1002);

/** Odd but legal: the client does `steps` and goes on. */
function accepts(name, steps) {
  test(name, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
    const client = await SocketIoClient.connect(server.port);
    await steps(client);
    await client.echo('afterwards');
    client.leave();
    assert.equal(await server.ends.reasonOf(client.id), 'transport close');
  }));
}

accepts('a ping frame is answered by a pong with the same payload', async ({ ws }) => {
  for (const payload of [Buffer.alloc(0), Buffer.from([0, 255, 1, 254]), Buffer.alloc(125, 7)]) {
    await ws.send(frame(OP.PING, payload));
    const answer = await ws.nextFrame();
    assert.equal(answer.opcode, OP.PONG);
    assert.deepEqual(answer.payload, payload);
    assert.ok(answer.fin && answer.rsv === 0);
  }
});

accepts('a pong nobody asked for is ignored', async ({ ws }) => {
  await ws.send(frame(OP.PONG, 'hello'));
});

accepts('a fragmented message with a ping in between arrives whole, after the pong', async ({ ws }) => {
  await ws.send(text(PING_REQUEST.slice(0, 5), { fin: false }));
  await ws.send(frame(OP.PING, 'between'));
  const pong = await ws.nextFrame();
  assert.equal(pong.opcode, OP.PONG);
  assert.equal(pong.payload.toString(), 'between');
  await ws.send(frame(OP.CONTINUATION, PING_REQUEST.slice(5, 9), { fin: false }));
  await ws.send(frame(OP.CONTINUATION, '', { fin: false }));
  await ws.send(frame(OP.CONTINUATION, PING_REQUEST.slice(9)));
  assert.equal(await ws.nextText(), PING_ANSWER);
});

accepts('a character cut in two by fragmentation is one character', async ({ ws }) => {
  const bytes = Buffer.from('4217["echo","é€😀"]');
  const cut = bytes.indexOf(Buffer.from('😀')) + 2;
  await ws.send(Buffer.concat([text(bytes.subarray(0, cut), { fin: false }), frame(OP.CONTINUATION, bytes.subarray(cut))]));
  assert.equal(await ws.nextText(), '4317["é€😀"]');
});

accepts('frames that arrive byte by byte are understood', async ({ ws }) => {
  for (const byte of Buffer.concat([text(PING_REQUEST), frame(OP.PING, 'p')])) {
    await ws.send(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  // A pong is the server's own answer and need not wait for the host's.
  const answers = [await ws.nextFrame(), await ws.nextFrame()];
  assert.deepEqual(answers.map(({ opcode }) => opcode).sort((a, b) => a - b), [OP.TEXT, OP.PONG]);
  assert.equal(String(answers.find(({ opcode }) => opcode === OP.TEXT).payload), PING_ANSWER);
});

accepts('many frames in one segment are answered in order', async ({ ws }) => {
  const count = 500;
  await ws.send(Buffer.concat(Array.from({ length: count }, (_, i) => text(`42${i}["echo",${i}]`))));
  for (let i = 0; i < count; i++) assert.equal(await ws.nextText(), `43${i}[${i}]`);
});

accepts('a mask of zeros and a mask of ones are both applied', async ({ ws }) => {
  for (const byte of [0x00, 0xff]) {
    await ws.send(text(PING_REQUEST, { mask: Buffer.alloc(4, byte) }));
    assert.equal(await ws.nextText(), PING_ANSWER);
  }
});

accepts('messages of every length form come through', async (client) => {
  for (const length of [0, 1, 100, 125, 126, 127, 1000, 65_000, 65_535, 65_536, LIMIT - 100]) {
    await client.echo('x'.repeat(length));
  }
});

accepts('a message of exactly maxHttpBufferSize is taken', async ({ ws }) => {
  const [head, tail] = ['4217["echo","', '"]'];
  const filler = 'x'.repeat(LIMIT - head.length - tail.length);
  await ws.send(text(head + filler + tail));
  const answer = await ws.nextText();
  assert.equal(answer, `4317["${filler}"]`);
});

for (const [sent, echoed] of [[1000, 1000], [1001, 1001], [1011, 1011], [3000, 3000], [4999, 4999]]) {
  test(`the close handshake answers ${sent}, then the connection ends`, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
    const client = await SocketIoClient.connect(server.port);
    await client.ws.send(frame(OP.CLOSE, closePayload(sent, 'bye')));
    const { code, error } = await client.ending();
    assert.equal(code, echoed);
    assert.equal(error, null);
    assert.equal(await server.ends.reasonOf(client.id), 'transport close');
  }));
}

test('a close frame without a code is answered by a close frame', { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
  const client = await SocketIoClient.connect(server.port);
  await client.ws.send(frame(OP.CLOSE));
  const { code } = await client.ending();
  assert.ok([1000, 1005].includes(code), `close code ${code}`);
}));

test('events sent before a close frame are taken, those after it are not', { timeout: 15_000 }, async () => {
  const seen = [];
  server.io.once('connection', (socket) => socket.on('note', (value) => seen.push(value)));
  const client = await SocketIoClient.connect(server.port);
  await client.ws.send(Buffer.concat([text('42["note","before"]'), frame(OP.CLOSE, closePayload(1000)), text('42["note","after"]')]));
  await client.ending();
  await server.ends.reasonOf(client.id);
  assert.deepEqual(seen, ['before']);
});
