// The msgpack parser, fed with bytes that its clients never send.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isBridge, isNative, msgpackParser } from '../support/subject.mjs';
import { binary, OP, text } from './support/frames.mjs';
import { startServer } from './support/server.mjs';
import { WebSocketClient } from './support/websocket.mjs';

const server = await startServer({ parser: msgpackParser, maxHttpBufferSize: 4e6 });
after(() => server.close());

// Just enough msgpack, written out: the test must not share its encoder with the server.
const str = (value) => Buffer.concat([Buffer.from([0xd9, Buffer.byteLength(value)]), Buffer.from(value)]);
const map = (entries) => Buffer.concat([Buffer.from([0x80 | entries.length]), ...entries.flatMap(([key, value]) => [str(key), value])]);
const array = (...items) => Buffer.concat([Buffer.from([0x90 | items.length]), ...items]);
const byte = (value) => Buffer.from([value]);
const packet = (type, data, ...more) => map([['type', byte(type)], ['nsp', str('/')], ...(data ? [['data', data]] : []), ...more]);
const [CONNECT, DISCONNECT, EVENT] = [0, 1, 2];

async function join() {
  const ws = await WebSocketClient.open(server.port);
  await ws.nextText();
  await ws.send(binary(packet(CONNECT)));
  const answer = await ws.nextFrame();
  const id = /sid.{1,2}([\w-]{20})/s.exec(answer.payload.toString('latin1'))[1];
  return { ws, id };
}

async function echo({ ws }) {
  await ws.send(binary(packet(EVENT, array(str('echo'), byte(42)), ['id', byte(7)])));
  const { opcode, payload: answer } = await ws.nextFrame();
  assert.equal(opcode, OP.BINARY, `opcode ${opcode}`);
  assert.ok(answer.includes(byte(42)) && answer.includes('data'), answer.toString('latin1'));
}

const neighbour = await join();

function closes(name, frame) {
  test(`${name} closes the client and harms nobody else`, { timeout: 15_000 }, async () => {
    await echo(neighbour);
    const client = await join();
    await client.ws.send(frame);
    await client.ws.ending();
    assert.equal(await server.ends.reasonOf(client.id), 'forced close');
    await echo(neighbour);
  });
}

/** The parser may take it or refuse it; the process has to live and memory must not be promised away. */
function survives(name, frame) {
  test(`${name} is taken or refused, and harms nobody`, { timeout: 15_000 }, async () => {
    await echo(neighbour);
    const client = await join();
    const before = process.memoryUsage.rss();
    await client.ws.send(frame);
    // Either the echo comes back or the connection is closed; silence is neither.
    await echo(client).catch((error) => assert.match(error.message, /^connection ended|opcode 8|reset/i));
    await echo(neighbour);
    assert.ok(process.memoryUsage.rss() - before < 300e6, 'memory was set aside for what was only declared');
    client.ws.tcp.destroy();
  });
}

test('an event with an ack works', { timeout: 15_000 }, async () => echo(await join()));

closes('an empty binary message', binary(''));
closes('a number instead of a packet', binary(byte(7)));
closes('a packet without a type', binary(map([['nsp', str('/')]])));
closes('a type beyond the known ones', binary(packet(9, array(str('echo')))));
closes('a type that is a string', binary(map([['type', str('2')], ['nsp', str('/')], ['data', array(str('x'))]])));
closes('a packet without a namespace', binary(map([['type', byte(EVENT)], ['data', array(str('x'))]])));
closes('a namespace that is a number', binary(map([['type', byte(EVENT)], ['nsp', byte(1)], ['data', array(str('x'))]])));
closes('an event without data', binary(packet(EVENT)));
closes('an event whose data is a map', binary(packet(EVENT, map([['a', byte(1)]]))));
if (isNative || isBridge) {
  const many = Buffer.concat([Buffer.from([0xdd, 0, 3, 0x0d, 0x41]), str('x'), Buffer.alloc(200_000, 1)]);
  closes('an event with 200,000 arguments', binary(packet(EVENT, many)));
}
closes('an ack id that is a string', binary(packet(EVENT, array(str('x')), ['id', str('1')])));
closes('a disconnect with data', binary(packet(DISCONNECT, map([['a', byte(1)]]))));
closes('a packet cut in the middle', binary(packet(EVENT, array(str('echo'), byte(1))).subarray(0, 20)));
closes('the byte 0xc1, which msgpack never uses', binary(byte(0xc1)));
closes('a text message', text('42["echo",1]'));

const declared = (...bytes) => binary(packet(EVENT, Buffer.from(bytes)));
survives('an array that declares 4 billion items', declared(0xdd, 0xff, 0xff, 0xff, 0xff));
survives('a map that declares 4 billion entries', declared(0xdf, 0xff, 0xff, 0xff, 0xff));
survives('a string that declares 4 GiB', declared(0x91, 0xdb, 0xff, 0xff, 0xff, 0xff));
survives('a binary that declares 4 GiB', declared(0x91, 0xc6, 0xff, 0xff, 0xff, 0xff));
survives('100,000 nested arrays', binary(packet(EVENT, array(str('x'), Buffer.alloc(100_000, 0x91), byte(0)))));
survives('100,000 nested maps', binary(packet(EVENT, array(str('x'), Buffer.concat(Array(100_000).fill(Buffer.from([0x81, 0xa1, 0x61]))), byte(0)))));
survives('an event name that is not UTF-8', binary(packet(EVENT, array(Buffer.from([0xd9, 2, 0xff, 0xfe])))));
