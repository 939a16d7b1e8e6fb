// Connection state recovery: who comes back in time is the same socket, and gets what it missed, once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, connect, open, openV2 } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { openPolling, packets } from '../support/http.mjs';
import { startProxy } from '../support/proxy.mjs';
import { isNative, msgpackParser } from '../support/subject.mjs';
import { event, record, until } from '../support/wait.mjs';

const RECOVERY = { connectionStateRecovery: {} };
const RETRY = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20 };

const offsetOf = (packet) => JSON.parse(packet.slice(packet.indexOf('['))).at(-1);

// Joins by hand and gets one event, so that there is an offset.
async function join(url, io, connect = '40') {
  const session = await openPolling(url);
  await session.post(connect);
  const [answer] = packets((await session.get()).text);
  return { session, ...JSON.parse(answer.slice(answer.indexOf('{'))) };
}

test('CONNECT carries a pid, and events an offset unless they are volatile or want an ack', async (t) => {
  const { io, url } = await serve(t, RECOVERY);
  const arrived = event(io, 'connection');
  const { session, sid, pid } = await join(url, io);
  const [socket] = await arrived;
  assert.equal(socket.id, sid);
  assert.match(pid, /^[\w-]{20}$/);
  assert.notEqual(pid, sid);
  const waiting = session.get();
  await until(() => io.engine.clientsCount === 1, 'the poll');
  io.emit('all', 1);
  const first = (await waiting).text;
  socket.emit('one');
  io.to(sid).emit('room', { a: 1 });
  socket.emit('asked', 'x', () => {});
  const rest = [];
  while (rest.length < 3) rest.push(...packets((await session.get()).text));
  const found = [...packets(first), ...rest];
  assert.match(found[0], /^42\["all",1,"[^"]+"\]$/);
  assert.match(found[1], /^42\["one","[^"]+"\]$/);
  assert.match(found[2], /^42\["room",\{"a":1\},"[^"]+"\]$/);
  assert.match(found[3], /^42\d+\["asked","x"\]$/);
  const offsets = found.slice(0, 3).map(offsetOf);
  assert.equal(new Set(offsets).size, 3);
  const poll = session.get();
  // Volatile events are dropped without a poll, and the poll's way into the server can't be seen from here.
  const ticking = setInterval(() => io.volatile.emit('perhaps', 1), 5);
  t.after(() => clearInterval(ticking));
  assert.equal(packets((await poll).text)[0], '42["perhaps",1]');
});

test('without the option there is neither', async (t) => {
  const { io, url } = await serve(t);
  const { session, pid } = await join(url, io);
  assert.equal(pid, undefined);
  io.emit('all', 1);
  assert.equal((await session.get()).text, '42["all",1]');
});

// socket.io sends what was missed before CONNECT, where a client keeps it for the next connection if this one breaks.
const connectFirst = { skip: isNative ? false : 'socket.io sends CONNECT last' };

test('CONNECT comes first, then what was missed, in order', connectFirst, async (t) => {
  const { io, url } = await serve(t, RECOVERY);
  const arrived = event(io, 'connection');
  const { session, sid, pid } = await join(url, io);
  const [socket] = await arrived;
  io.emit('hello');
  const offset = offsetOf((await session.get()).text);
  const left = event(socket, 'disconnect');
  await session.post('1');
  assert.equal((await left)[0], 'transport close');
  io.emit('one', 1);
  io.to(sid).emit('two');
  io.except(sid).emit('not for it');
  io.to('elsewhere').emit('not for it');
  io.of('/other').emit('not for it');
  io.emit('three', 'x');
  const again = await openPolling(url);
  await again.post(`40${JSON.stringify({ pid, offset })}`);
  const found = packets((await again.get()).text);
  assert.deepEqual(found.map((packet) => packet.replace(/,"[^"]+"\]$/, ']')), [
    `40${JSON.stringify({ sid, pid })}`, '42["one",1]', '42["two"]', '42["three","x"]',
  ]);
  io.emit('four');
  assert.match((await again.get()).text, /^42\["four","[^"]+"\]$/);
});

for (const transport of Object.keys(TRANSPORTS)) {
  for (const msgpack of [false, true]) {
    const name = `${transport}, ${msgpack ? 'msgpack' : 'default'} parser`;
    test(`a client that is cut off comes back as the same socket: ${name}`, async (t) => {
      const { io, port } = await serve(t, { ...RECOVERY, ...(msgpack ? { parser: msgpackParser } : {}) });
      const proxy = await startProxy(t, port);
      const arrived = event(io, 'connection');
      const client = await connect(proxy.url, { transport, msgpack, ...RETRY });
      const [socket] = await arrived;
      const { id } = client;
      assert.equal(socket.recovered, false);
      socket.join(['red', 'blue']);
      socket.leave('blue');
      const user = { name: 'ann', seen: new Set([1]) };
      socket.data = user;
      const seen = record(client);
      io.emit('n', 0);
      await until(() => seen.length === 1, 'the first event');
      if (transport === 'upgrade') await until(() => socket.conn.transport.name === 'websocket', 'upgrade');

      const left = event(socket, 'disconnect');
      const back = event(io, 'connection');
      // Between two polls there is nothing to cut.
      const cutting = setInterval(proxy.cut, 50);
      proxy.cut();
      socket.once('disconnect', () => clearInterval(cutting));
      assert.match((await left.finally(() => clearInterval(cutting)))[0], /^transport (close|error)$/);
      assert.equal(io.sockets.sockets.has(id), false);
      io.emit('n', 1);
      io.to('red').emit('n', 2, Buffer.from([1, 2, 3]));
      io.to('blue').emit('n', 'not for it');
      io.volatile.emit('n', 'not kept');
      io.except('red').emit('n', 'not for it');
      io.to('red').to(id).emit('n', 3, { deep: [Buffer.from('x')] });
      const [again] = await back;
      assert.notEqual(again, socket);
      assert.equal(again.recovered, true);
      assert.equal(again.id, id);
      assert.deepEqual([...again.rooms].sort(), [id, 'red'].sort());
      assert.equal(again.data, user);
      assert.deepEqual([...io.sockets.adapter.rooms.get('red')], [id]);
      io.to('red').emit('n', 4);
      again.emit('n', 5);
      await until(() => seen.length >= 6, 'what was missed');
      assert.equal(client.recovered, true);
      assert.equal(client.id, id);
      const values = seen.map(([, value, second]) => (Buffer.isBuffer(second) ? [value, ...second] : value));
      assert.deepEqual(values, [0, 1, [2, 1, 2, 3], 3, 4, 5]);
      assert.equal(String(seen[3][2].deep[0]), 'x');
      const found = await io.in('red').fetchSockets();
      assert.deepEqual(found.map((s) => [s.id, s.data]), [[id, user]]);
      // And the socket works in the other direction.
      const asked = event(again, 'ask');
      client.emit('ask', 1);
      assert.equal((await asked)[0], 1);
    });
  }
}

test('a recovered socket skips middlewares, unless told not to', async (t) => {
  for (const skipMiddlewares of [undefined, true, false]) {
    const rules = skipMiddlewares === undefined ? {} : { skipMiddlewares };
    const { io, port } = await serve(t, { connectionStateRecovery: rules });
    const proxy = await startProxy(t, port);
    const passed = [];
    io.use((socket, next) => {
      passed.push([socket.recovered, socket.rooms.has('r')]);
      setTimeout(next, 20);
    });
    const arrived = event(io, 'connection');
    const client = await connect(proxy.url, RETRY);
    const [socket] = await arrived;
    socket.join('r');
    const seen = record(client);
    socket.emit('n', 0);
    await until(() => seen.length === 1, 'an offset');
    const left = event(socket, 'disconnect');
    const back = event(io, 'connection');
    proxy.cut();
    await left;
    io.to('r').emit('n', 1);
    const [again] = await back;
    assert.equal(again.recovered, true);
    await until(() => seen.length === 2, 'what was missed');
    assert.deepEqual(seen.map(([, n]) => n), [0, 1]);
    assert.deepEqual(passed, skipMiddlewares === false ? [[false, false], [true, true]] : [[false, false]]);
    client.disconnect();
  }
});

test('a middleware may refuse a socket that was recovered', async (t) => {
  const { io, port } = await serve(t, { connectionStateRecovery: { skipMiddlewares: false } });
  const proxy = await startProxy(t, port);
  let open = true;
  io.use((socket, next) => next(open ? undefined : new Error('no more')));
  const arrived = event(io, 'connection');
  const client = await connect(proxy.url, RETRY);
  const [socket] = await arrived;
  const seen = record(client);
  socket.emit('n', 0);
  await until(() => seen.length === 1, 'an offset');
  const refused = event(client, 'connect_error');
  open = false;
  proxy.cut();
  assert.equal((await refused)[0].message, 'no more');
  assert.equal(io.sockets.sockets.size, 0);
});

test('an unknown pid or offset makes a new socket', async (t) => {
  const { io, url } = await serve(t, RECOVERY);
  const arrived = event(io, 'connection');
  const { session, sid, pid } = await join(url, io);
  const [socket] = await arrived;
  io.emit('hello');
  const offset = offsetOf((await session.get()).text);
  const left = event(socket, 'disconnect');
  await session.post('1');
  await left;
  const strange = [
    { pid: 'foo', offset }, { pid, offset: 'bar' }, { pid, offset: `${offset}0` }, { pid, offset: '' },
    { offset }, { pid: 1, offset: {} }, { pid: [pid], offset }, { pid: 'x'.repeat(20), offset },
  ];
  for (const auth of strange) {
    const fresh = await join(url, io, `40${JSON.stringify(auth)}`);
    assert.notEqual(fresh.sid, sid, JSON.stringify(auth));
    assert.notEqual(fresh.pid, pid);
    assert.match(fresh.pid, /^[\w-]{20}$/);
  }
  // None of that has cost the client its session.
  const back = await openPolling(url);
  await back.post(`40${JSON.stringify({ pid, offset })}`);
  assert.equal((await back.get()).text, `40${JSON.stringify({ sid, pid })}`);
});

test('a pid of one namespace is nothing in another', async (t) => {
  const { io, url } = await serve(t, RECOVERY);
  io.of('/other');
  const arrived = event(io, 'connection');
  const { session, pid } = await join(url, io);
  const [socket] = await arrived;
  io.emit('hello');
  const offset = offsetOf((await session.get()).text);
  const left = event(socket, 'disconnect');
  await session.post('1');
  await left;
  const fresh = await join(url, io, `40/other,${JSON.stringify({ pid, offset })}`);
  assert.notEqual(fresh.pid, pid);
});

test('namespaces that are made on demand recover too', async (t) => {
  const { io, port } = await serve(t, RECOVERY);
  const proxy = await startProxy(t, port);
  const parent = io.of(/^\/room-\d+$/);
  const arrived = event(parent, 'connection');
  const client = await connect(`${proxy.url}/room-7`, RETRY);
  const [socket] = await arrived;
  const seen = record(client);
  socket.nsp.emit('n', 0);
  await until(() => seen.length === 1, 'an offset');
  const left = event(socket, 'disconnect');
  const back = event(socket.nsp, 'connection');
  proxy.cut();
  await left;
  socket.nsp.emit('n', 1);
  io.emit('n', 'not for it');
  assert.equal((await back)[0].id, socket.id);
  await until(() => seen.length === 2, 'what was missed');
  assert.equal(seen[1][1], 1);
});

test('who left or was sent away does not come back as the same socket', async (t) => {
  const { io, url } = await serve(t, RECOVERY);
  for (const end of ['client', 'server', 'server with connection']) {
    const arrived = event(io, 'connection');
    const client = open(url, { reconnection: false });
    const [socket] = await arrived;
    const seen = record(client);
    socket.join('r');
    socket.emit('n', 0);
    await until(() => seen.length === 1, 'an offset');
    const left = event(socket, 'disconnect');
    const gone = event(client, 'disconnect');
    if (end === 'client') client.disconnect();
    else socket.disconnect(end !== 'server');
    await Promise.all([left, gone]);
    const back = event(io, 'connection');
    client.connect();
    const [again] = await back;
    assert.equal(again.recovered, false, end);
    assert.notEqual(again.id, socket.id);
    assert.equal(again.rooms.has('r'), false);
    client.disconnect();
  }
});

test('who stays away too long is a new socket', async (t) => {
  const { io, url } = await serve(t, { connectionStateRecovery: { maxDisconnectionDuration: 50 } });
  const arrived = event(io, 'connection');
  const { session, sid, pid } = await join(url, io);
  const [socket] = await arrived;
  io.emit('hello');
  const offset = offsetOf((await session.get()).text);
  const left = event(socket, 'disconnect');
  await session.post('1');
  await left;
  const end = Date.now() + 60;
  await until(() => Date.now() > end, 'the time');
  const fresh = await join(url, io, `40${JSON.stringify({ pid, offset })}`);
  assert.notEqual(fresh.sid, sid);
});

test('an event for a socket whose client is away waits for it', async (t) => {
  const { io, port } = await serve(t, RECOVERY);
  const proxy = await startProxy(t, port);
  const arrived = event(io, 'connection');
  const client = await connect(proxy.url, RETRY);
  const [socket] = await arrived;
  const seen = record(client);
  socket.emit('n', 0);
  await until(() => seen.length === 1, 'an offset');
  const left = event(socket, 'disconnect');
  proxy.cut();
  await left;
  socket.emit('n', 1);
  socket.emit('n', 2, Buffer.from('b'));
  await until(() => seen.length === 3, 'what was missed');
  assert.deepEqual(seen.map(([, n]) => n), [0, 1, 2]);
  // The application may still hold the old object: it means the same client.
  socket.emit('n', 3);
  await until(() => seen.length === 4, 'the event by the old object');
  assert.equal(seen[3][1], 3);
});

test('rooms whose names are not well-formed Unicode are those of the recovered socket again', async (t) => {
  const { io, url } = await serve(t, RECOVERY);
  const arrived = event(io, 'connection');
  const { session, sid, pid } = await join(url, io);
  const [socket] = await arrived;
  const rooms = ['x\ud800', '\u0000string "x"', 'plain'];
  socket.join(rooms);
  io.emit('hello');
  const offset = offsetOf((await session.get()).text);
  const left = event(socket, 'disconnect');
  await session.post('1');
  await left;
  io.to('x\ud800').emit('missed');
  io.to('x\ud801').emit('not for it');
  const again = event(io, 'connection');
  const back = await openPolling(url);
  await back.post(`40${JSON.stringify({ pid, offset })}`);
  const [recovered] = await again;
  assert.equal(recovered.recovered, true);
  assert.equal(recovered.id, sid);
  assert.deepEqual(new Set(recovered.rooms), new Set([sid, ...rooms]));
  assert.deepEqual([...io.of('/').adapter.rooms.get('x\ud800')], [sid]);
  const found = packets((await back.get()).text);
  assert.equal(found.filter((packet) => /^40\{/.test(packet)).length, 1);
  assert.deepEqual(found.filter((packet) => packet.startsWith('42')).map((packet) => JSON.parse(packet.slice(2))[0]), ['missed']);
});

test('true means the defaults', async (t) => {
  const { io, url } = await serve(t, { connectionStateRecovery: true });
  assert.match((await join(url, io)).pid, /^[\w-]{20}$/);
  assert.deepEqual(io._opts.connectionStateRecovery, { maxDisconnectionDuration: 120_000, skipMiddlewares: true });
});

test('clients of protocol 3 connect as ever, and start anew when they come back', async (t) => {
  const { io, port } = await serve(t, { ...RECOVERY, allowEIO3: true });
  const proxy = await startProxy(t, port);
  const arrived = event(io, 'connection');
  const client = openV2(proxy.url, RETRY);
  const [socket] = await arrived;
  const got = event(client, 'n');
  io.emit('n', 1);
  const [value, offset] = await got;
  assert.equal(value, 1);
  assert.equal(typeof offset, 'string');
  const left = event(socket, 'disconnect');
  const back = event(io, 'connection');
  proxy.cut();
  await left;
  const [again] = await back;
  assert.equal(again.recovered, false);
  const direct = event(client, 'n');
  again.emit('n', 2);
  assert.equal((await direct)[0], 2);
});
