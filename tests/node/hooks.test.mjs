// What programs that go around the server use: its encoder, the adapter's hooks, the engine's codes.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { Server, msgpackParser } from '../support/subject.mjs';
import { until } from '../support/wait.mjs';

const require = createRequire(import.meta.url);

test('io.encoder writes packets as socket.io-parser does', async (t) => {
  const { io } = await serve(t);
  const bytes = Buffer.from([1, 2]);
  const packets = [
    [{ type: 0, nsp: '/', data: { sid: 'x' } }, ['0{"sid":"x"}']],
    [{ type: 1, nsp: '/admin' }, ['1/admin,']],
    [{ type: 2, nsp: '/', data: ['a', 1] }, ['2["a",1]']],
    [{ type: 2, nsp: '/x', data: ['a'], id: 0 }, ['2/x,0["a"]']],
    [{ type: 3, nsp: '/', data: [], id: 12 }, ['312[]']],
    [{ type: 4, nsp: '/', data: { message: 'no' } }, ['4{"message":"no"}']],
    [{ type: 2, nsp: '/', data: ['a', bytes, { b: bytes }] },
      ['52-["a",{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]', bytes, bytes]],
    [{ type: 3, nsp: '/x', data: [bytes], id: 7 }, ['61-/x,7[{"_placeholder":true,"num":0}]', bytes]],
  ];
  for (const [packet, messages] of packets) assert.deepEqual(io.encoder.encode(packet), messages);
  const parser = require('socket.io-parser');
  for (const [packet] of packets) assert.deepEqual(io.encoder.encode(packet), new parser.Encoder().encode(packet));
});

test('with the module of the msgpack parser io.encoder is its own', () => {
  const parser = require('socket.io-msgpack-parser');
  const io = new Server({ parser });
  const packet = { type: 2, nsp: '/', data: ['a', 1] };
  assert.deepEqual(io.encoder.encode(packet), new parser.Encoder().encode(packet));
});

test('adapter.broadcastWithAck counts the clients and calls back for each', async (t) => {
  const { io, url } = await serve(t, { parser: msgpackParser });
  const seen = [];
  for (const name of ['a', 'b', 'c']) {
    const { client, socket } = await pair(io, url, { parser: require('socket.io-msgpack-parser') });
    client.on('ask', (n, ack) => ack(`${name}${n}`, 'second'));
    if (name !== 'c') socket.join('r');
  }
  let asked;
  const { adapter } = io.of('/');
  const opts = { rooms: new Set(['r']), except: new Set(), flags: {} };
  adapter.broadcastWithAck({ type: 2, data: ['ask', 1] }, opts, (count) => (asked = count), (...args) => seen.push(args));
  assert.equal(asked, 2);
  await until(() => seen.length === 2, 'answers');
  assert.deepEqual(seen.sort(), [['a1', 'second'], ['b1', 'second']]);
  adapter.broadcastWithAck({ type: 2, data: ['ask', 1] }, { ...opts, rooms: new Set(['none']) }, (count) => (asked = count), () => {});
  assert.equal(asked, 0);
});

test('adapter.serverSideEmit warns, and sessions are not the adapter\'s', async (t) => {
  const { io } = await serve(t);
  const { adapter } = io.of('/');
  const warn = t.mock.method(console, 'warn', () => {});
  adapter.serverSideEmit(['hello']);
  assert.deepEqual(warn.mock.calls[0].arguments, ['this adapter does not support the serverSideEmit() functionality']);
  assert.equal(adapter.persistSession({ sid: 's', pid: 'p', rooms: [], data: {} }), undefined);
  assert.equal(await adapter.restoreSession('p', 'o'), null);
});

test('the class of io.engine names the codes of connection_error', async (t) => {
  const { io } = await serve(t);
  const engine = require('engine.io').Server;
  assert.deepEqual(io.engine.constructor.errors, engine.errors);
  assert.deepEqual(io.engine.constructor.errorMessages, engine.errorMessages);
});
