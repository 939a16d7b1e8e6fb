// The ordering promise: for one socket, packets leave in the order in which the host issued them, emits, acks
// and broadcasts alike, whatever it joins and leaves in between; events arrive in wire order. Checked by random
// interleavings against a model of who must receive what. SEED repeats a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, pair, upgraded } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { randomFrom } from '../support/random.mjs';
import { event, events, record, until, within } from '../support/wait.mjs';

const SEED = Number(process.env.SEED) || (Date.now() % 1e9) + 1;
const ROOMS = ['r0', 'r1', 'r2', 'r3'];
const STEPS = 1500;

// One random host action; `expect[i]` grows by the number of the step wherever client i must see it.
function act(step, random, io, sockets, expect) {
  const all = sockets.map((_, i) => i);
  const i = random.below(sockets.length);
  const room = random.pick(ROOMS);
  const members = (name) => all.filter((j) => sockets[j].rooms.has(name));
  const must = (receivers) => receivers.forEach((j) => expect[j].push(step));
  const kind = random.below(13);
  if (kind <= 1) {
    sockets[i].emit('step', step);
    must([i]);
  } else if (kind === 2) {
    sockets[i].emit('step', step, Buffer.from(`bytes ${step}`));
    must([i]);
  } else if (kind <= 4) {
    io.to(room).emit('step', step);
    must(members(room));
  } else if (kind === 5) {
    const other = random.pick(ROOMS);
    io.to(room).except(other).emit('step', step, Buffer.from([step & 255]));
    must(members(room).filter((j) => !members(other).includes(j)));
  } else if (kind === 6) {
    sockets[i].to(room).emit('step', step);
    must(members(room).filter((j) => j !== i));
  } else if (kind === 7) {
    io.emit('step', step);
    must(all);
  } else if (kind === 8) {
    sockets[i].emit('step', step, () => {});
    must([i]);
  } else if (kind === 9) {
    sockets[i].join(room);
  } else if (kind === 10) {
    sockets[i].leave(room);
  } else if (kind === 11) {
    const source = random.pick(ROOMS);
    if (room !== source) io.in(source).socketsJoin(room);
  } else {
    const source = random.pick(ROOMS);
    io.in(source).socketsLeave(room);
  }
}

for (const transport of Object.keys(TRANSPORTS)) {
  test(`random emits, broadcasts, joins and leaves keep their order over ${transport}`, async (t) => {
    t.diagnostic(`SEED=${SEED}`);
    const random = randomFrom(SEED);
    const { io, url } = await serve(t);
    const sockets = [];
    const seen = [];
    const clients = [];
    for (let n = 0; n < 5; n += 1) {
      const ends = await pair(io, url, { transport });
      clients.push(ends.client);
      sockets.push(ends.socket);
      seen.push(record(ends.client));
    }
    const expect = sockets.map(() => []);
    for (let step = 0; step < STEPS; step += 1) {
      act(step, random, io, sockets, expect);
      // Runs of actions in one turn, then a pause in which the server writes what it has.
      if (random.below(20) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const last = clients.map((client) => event(client, 'last', 10_000));
    io.emit('last');
    await Promise.all(last);
    for (const [n, list] of seen.entries()) {
      const got = list.filter(([name]) => name === 'step').map(([, step]) => step);
      assert.deepEqual(got, expect[n], `client ${n}, SEED=${SEED}`);
    }
    assert.ok(expect.flat().length > STEPS / 2, 'the run sent something');
  });

  test(`acks, answers and broadcasts of one handler leave in the order it issued them over ${transport}`, async (t) => {
    const { io, url } = await serve(t);
    const { client, socket } = await pair(io, url, { transport });
    if (transport === 'upgrade') await upgraded(client);
    socket.join('room');
    const order = [];
    client.on('note', (text) => order.push(text));
    socket.on('do', (n, ack) => {
      socket.emit('note', `${n} emit`);
      ack(`${n} ack`);
      io.to('room').emit('note', `${n} room`);
      socket.emit('note', `${n} bytes`, Buffer.from('x'));
      io.emit('note', `${n} all`);
    });
    const done = events(client, 'note', 40 * 4);
    for (let n = 0; n < 40; n += 1) client.emit('do', n, (text) => order.push(text));
    await done;
    await until(() => order.length === 200, 'acks');
    const expected = Array.from({ length: 40 }, (_, n) =>
      ['emit', 'ack', 'room', 'bytes', 'all'].map((what) => `${n} ${what}`)).flat();
    assert.deepEqual(order, expected);
  });

  test(`events of one client reach the host in wire order over ${transport}`, async (t) => {
    t.diagnostic(`SEED=${SEED}`);
    const random = randomFrom(SEED + 1);
    const { io, url } = await serve(t);
    const { client, socket } = await pair(io, url, { transport });
    const got = [];
    socket.onAny((name, n) => got.push(n));
    const total = 500;
    const sent = [];
    for (let n = 0; n < total; n += 1) {
      const kind = random.below(4);
      if (kind === 0) client.emit('text', n);
      else if (kind === 1) client.emit('bytes', n, Buffer.alloc(random.below(300)));
      else if (kind === 2) client.emit('ack', n, () => {});
      else client.emit('long', n, 'x'.repeat(random.below(3000)));
      sent.push(n);
      if (random.below(30) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => got.length === total, 'all events', 10_000);
    assert.deepEqual(got, sent);
  });
}

test('a join is in force for the broadcast after it, a leave for the one after that, a thousand times', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const seen = record(client);
  for (let n = 0; n < 1000; n += 1) {
    io.to('r').emit('outside', n);
    socket.join('r');
    io.to('r').emit('inside', n);
    socket.leave('r');
  }
  const last = event(client, 'last');
  socket.emit('last');
  await last;
  const expected = Array.from({ length: 1000 }, (_, n) => ['inside', n]);
  assert.deepEqual(seen.slice(0, -1), expected);
});

test('what was emitted before disconnect() still arrives', async (t) => {
  const { io, url } = await serve(t);
  for (const transport of ['websocket', 'polling']) {
    const { client, socket } = await pair(io, url, { transport });
    const seen = record(client);
    const ended = event(client, 'disconnect');
    for (let n = 0; n < 100; n += 1) socket.emit('n', n);
    socket.disconnect();
    await ended;
    assert.equal(seen.length, 100, transport);
  }
});

test('two namespaces on one connection each keep their order', async (t) => {
  const { io, url } = await serve(t);
  io.of('/b');
  const { client: root, socket: rootSocket } = await pair(io, url, { forceNew: false });
  const arrived = event(io.of('/b'), 'connection');
  const b = root.io.socket('/b');
  const [bSocket] = await arrived;
  await until(() => b.connected, 'connected');
  const order = [];
  root.on('n', (n) => order.push(n));
  b.on('n', (n) => order.push(n));
  for (let n = 0; n < 200; n += 1) (n % 3 ? rootSocket : bSocket).emit('n', n);
  await within(until(() => order.length === 200, 'all'), 'all');
  assert.deepEqual(order, Array.from({ length: 200 }, (_, n) => n));
});
