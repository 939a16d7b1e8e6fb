// Bad input is normal input: what socket.io throws, with a code of ours.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { connect, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { run } from '../support/child.mjs';
import { Server, isNative, nativeOnly } from '../support/subject.mjs';
import { event } from '../support/wait.mjs';

const require = createRequire(import.meta.url);
const { createAdapter, createShardedAdapter } = require('@socket.io/redis-adapter');
const { Adapter, SessionAwareAdapter } = require('socket.io-adapter');

// The error has the message, and on our side the code too.
const told = (code, message) => (error) => {
  assert.match(error.message, message);
  if (isNative) assert.equal(error.code, `ERR_KRAKEN_WS_${code}`);
  return true;
};

test('reserved event names throw wherever an event can be sent', async (t) => {
  const { io, url } = await serve(t);
  const { socket } = await pair(io, url);
  const reserved = told('NAME', /^"disconnect" is a reserved event name$/);
  for (const target of [socket, socket.broadcast, io, io.to('r'), io.of('/n'), socket.volatile]) {
    assert.throws(() => target.emit('disconnect'), reserved);
  }
  assert.throws(() => io.serverSideEmit('connection'), told('NAME', /reserved event name/));
  await assert.rejects(socket.emitWithAck('disconnect'), reserved);
});

test('arguments that socket.io refuses are refused with its words', async (t) => {
  const { io } = await serve(t);
  assert.throws(() => io.of(/x/g), told('NAME', /stateful regular expressions are not supported/));
  assert.throws(() => io.of(/x/y), told('NAME', /stateful regular expressions are not supported/));
  assert.throws(() => io.attach(() => {}), told('ARGUMENT', /pass a http.Server instance/));
  assert.throws(() => io.of(/^\/p-/).fetchSockets(), told('UNSUPPORTED', /not supported on parent namespaces/));
  // These are Node's own.
  assert.throws(() => io.on('x', 'not a function'), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => io.of('/').once('x'), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('what JSON.stringify refuses is refused in its words, on every way out, and nothing is sent', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const circle = {};
  circle.self = circle;
  const early = [];
  client.onAny((...args) => early.push(args));
  for (const target of [socket, io, io.to('r'), io.of('/'), socket.broadcast]) {
    assert.throws(() => target.emit('x', { big: 10n }), told('PAYLOAD', /BigInt/));
    // socket.io overflows its stack on circles.
    assert.throws(() => target.emit('x', circle), isNative ? told('PAYLOAD', /circular/) : RangeError);
    assert.throws(() => target.emit('x', { toJSON() { throw new Error('mine'); } }), { message: 'mine' });
  }
  const answered = new Promise((resolve) => {
    socket.on('ask', (ack) => resolve(assert.throws(() => ack(circle), isNative ? told('PAYLOAD', /circular/) : RangeError)));
  });
  client.emit('ask', () => {});
  await answered;
  const after = event(client, 'after');
  socket.emit('after');
  await after;
  assert.deepEqual(early, [['after']]);
});

test('odd event names and missing arguments throw nothing and harm nobody', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  socket.emit(5, 'number');
  socket.join([]);
  socket.leave('never joined');
  socket.to([]).to('nobody').emit('x');
  const got = event(client, 'after');
  socket.emit('after', 1);
  assert.deepEqual(await got, [1]);
});

test('emit, join and leave after the end of a socket do what they do in socket.io: nothing', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const gone = event(socket, 'disconnect');
  client.disconnect();
  await gone;
  assert.equal(socket.emit('x', 1), true);
  socket.join('r');
  socket.leave('r');
  assert.equal(socket.rooms.size, 0);
  assert.equal(socket.disconnect(true), socket);
  assert.equal(io.of('/').adapter.rooms.has('r'), false);
  await assert.rejects(socket.timeout(10).emitWithAck('x'), isNative ? /socket has been disconnected/ : /operation has timed out/);
});

for (const [kind, handler, expected] of [
  ['throws', "() => { throw new Error('thrown') }", 'uncaughtException thrown'],
  ['rejects', "async () => { throw new Error('rejected') }", 'unhandledRejection rejected'],
]) {
  test(`a handler that ${kind} reaches the process, and the server goes on`, async () => {
    const { code, stdout, stderr } = await run(`
      const { Server } = require(process.env.SUBJECT_PATH);
      const { io: connect } = require('socket.io-client');
      for (const name of ['uncaughtException', 'unhandledRejection']) process.on(name, (e) => console.log(name, e.message));
      const io = new Server(0);
      const handler = ${handler};
      io.on('connection', (socket) => {
        socket.on('bad', handler);
        socket.on('good', (ack) => ack('still here'));
        socket.on('disconnect', handler);
      });
      const client = connect('http://127.0.0.1:' + io.httpServer.address().port);
      client.emit('bad');
      client.emit('good', (answer) => {
        console.log(answer);
        client.disconnect();
        setTimeout(() => io.close(), 100);
      });
    `);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n').sort(), [expected, expected, 'still here'].sort());
  });
}

test('adapters that run in JavaScript are refused by name, with what to use instead', nativeOnly, async (t) => {
  const { io } = await serve(t);
  class MyAdapter {}
  class RedisStreamsAdapter {}
  for (const [adapter, name] of [
    [(nsp) => new RedisStreamsAdapter(nsp), 'RedisStreamsAdapter'],
    [MyAdapter, 'MyAdapter'],
    ['redis', 'redis'],
  ]) {
    const refused = told('UNSUPPORTED', new RegExp(`^adapter: ${name} runs in JavaScript.*bindNative\\(io\\)$`));
    assert.throws(() => io.adapter(adapter), refused);
    assert.throws(() => new Server({ adapter }), refused);
  }
});

test('adapters over Redis are refused with clients that are none', nativeOnly, async (t) => {
  const { io } = await serve(t);
  for (const factory of [createAdapter, createShardedAdapter]) {
    const refused = told('UNSUPPORTED', /^this is no client of "redis" 4 or 5 or of "ioredis"/);
    assert.throws(() => io.adapter(factory({}, {})), refused);
    assert.throws(() => new Server({ adapter: factory({}, {}) }), refused);
  }
});

test('adapters that are rooms in memory mean what there is', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { adapter: Adapter });
  assert.equal(io.adapter(SessionAwareAdapter), io);
  assert.equal((await connect(url)).connected, true);
});

test('parsers are taken by name or module; one of another make is refused', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { parser: require('socket.io-parser') });
  assert.equal((await pair(io, url)).client.connected, true);
  class Encoder {
    encode(packet) { return [JSON.stringify(packet)]; }
  }
  for (const parser of [{ protocol: 5, Encoder, Decoder: class {} }, {}, 7, { Encoder: 1 }]) {
    assert.throws(() => new Server({ parser }), told('OPTION', /^parser: expected .*bindNative\(io\)$/));
  }
});

test('engines and apps of others are refused with what to use instead', nativeOnly, async (t) => {
  const { io } = await serve(t);
  assert.equal(io.bind(io.engine), io);
  assert.throws(() => io.bind({}), told('UNSUPPORTED', /^io\.bind: .*io\.attach\(httpServer\)/));
  assert.throws(() => io.attachApp({}), told('UNSUPPORTED', /^io\.attachApp: .*new Server/));
  assert.throws(() => new Server({ cookie: { encode: String } }), told('OPTION', /^cookie\.encode: /));
  assert.throws(() => new Server({ cookie: { priority: 'top' } }), told('OPTION', /^cookie\.priority: expected .* got "top"$/));
});
