// Native rooms follow the adapter's own maps, whatever joins and leaves in between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, pair } from '../support/clients.mjs';
import { randomFrom } from '../support/random.mjs';
import { event, record, until } from '../support/wait.mjs';
import { bound, countWrites, settled } from './support/bound.mjs';

const SEED = Number(process.env.SEED) || (Date.now() % 1e9) + 1;
const NOBODY = { rooms: new Set(), except: new Set() };

async function several(io, url, count, options) {
  const pairs = [];
  for (let i = 0; i < count; i++) pairs.push(await pair(io, url, options));
  return { sockets: pairs.map(({ socket }) => socket), clients: pairs.map(({ client }) => client) };
}

for (const transport of ['websocket', 'polling']) {
  test(`random joins, leaves and broadcasts reach whom the adapter names (seed ${SEED}, ${transport})`, async (t) => {
    const { io, url } = await bound(t, { native: { shards: 2 } });
    const { sockets, clients } = await several(io, url, 6, { transport });
    const seen = clients.map((client) => record(client));
    const count = countWrites(io);
    const random = randomFrom(SEED);
    const rooms = ['a', 'b', 'c', ...sockets.map(({ id }) => id)];
    const expected = sockets.map(() => []);
    for (let step = 0; step < 800; step++) {
      const socket = random.pick(sockets);
      const kind = random.below(10);
      if (kind < 3) socket.join(random.pick(rooms));
      else if (kind === 3) socket.join([random.pick(rooms), random.pick(rooms)]);
      else if (kind < 6) socket.leave(random.pick(rooms));
      else if (kind === 6 && step % 7 === 0) socket.leaveAll();
      else {
        const to = new Set(Array.from({ length: random.below(3) }, () => random.pick(rooms)));
        const except = new Set(Array.from({ length: random.below(3) }, () => random.pick(rooms)));
        // The adapter's own walk over its maps says who must get it.
        io.sockets.adapter.apply({ ...NOBODY, rooms: to, except }, ({ id }) => {
          expected[sockets.findIndex((one) => one.id === id)].push(step);
        });
        io.to([...to]).except([...except]).emit('step', step);
      }
    }
    for (const socket of sockets) socket.join('all');
    const ended = clients.map((client) => event(client, 'end'));
    io.to('all').emit('end');
    await Promise.all(ended);
    for (const [i, list] of seen.entries()) {
      assert.deepEqual(list.filter(([name]) => name === 'step').map(([, step]) => step), expected[i], `client ${i}`);
    }
    assert.equal(count.writes, 0);
  });
}

test('a socket that joins in a middleware gets nothing before it is connected, and all afterwards', async (t) => {
  const { io, url } = await bound(t);
  io.use((socket, next) => {
    socket.join('early');
    io.to('early').emit('hidden');
    setImmediate(() => {
      io.to('early').emit('hidden');
      next();
    });
  });
  const client = await connect(url);
  const seen = record(client);
  io.to('early').emit('shown');
  await settled(io, [client]);
  assert.deepEqual(seen.map(([name]) => name).slice(0, 1), ['shown']);
});

test('leaveAll takes a socket out of the namespace too, until it joins again', async (t) => {
  const { io, url } = await bound(t);
  const { sockets: [one], clients: [client, other] } = await several(io, url, 2);
  const seen = record(client);
  one.leaveAll();
  io.emit('missed');
  io.to(one.id).emit('missed');
  one.join('again');
  io.emit('got');
  await settled(io, [client, other]);
  assert.deepEqual(seen.map(([name]) => name).slice(0, 1), ['got']);
});

test('rooms may have any name, and any value that is a key of a Map', async (t) => {
  const { io, url } = await bound(t);
  const key = { room: 1 };
  const twin = { room: 1 };
  const names = ['', ' ', '\n', 'a\nb', '\u0000', 'ü🐙', '\ud800', '\udc00x', '1', 1, true, 'true', null, undefined, key, twin];
  const { sockets, clients } = await several(io, url, names.length);
  sockets.forEach((socket, i) => socket.join([names[i]]));
  const seen = clients.map((client) => record(client));
  names.forEach((name, i) => io.to(name).emit('at', i));
  await settled(io, clients);
  for (const [i, list] of seen.entries()) {
    assert.deepEqual(list.slice(0, -1), [['at', i]], `${typeof names[i]} ${JSON.stringify(names[i])}`);
  }
});

test('broadcasts with acknowledgements go out once and come back from each', async (t) => {
  const { io, url } = await bound(t);
  const { clients, sockets } = await several(io, url, 4);
  clients.forEach((client, i) => client.on('ask', (value, ack) => ack(value + i)));
  sockets.slice(0, 3).forEach((socket) => socket.join('asked'));
  const count = countWrites(io);
  const answers = await io.timeout(5000).to('asked').emitWithAck('ask', 10);
  assert.deepEqual(answers.sort(), [10, 11, 12]);
  assert.equal(count.writes, 0);
  assert.deepEqual(await io.timeout(5000).to('nobody').emitWithAck('ask', 1), []);
  clients[0].off('ask');
  await assert.rejects(io.timeout(50).to('asked').emitWithAck('ask', 1), /operation has timed out/);
});

test('namespaces have rooms of their own, also those that come and go', async (t) => {
  const { io, url } = await bound(t, { options: { cleanupEmptyChildNamespaces: true } });
  io.of(/^\/child-\d$/).on('connection', (socket) => socket.join('room'));
  for (let round = 0; round < 3; round++) {
    const main = await connect(url);
    const client = await connect(`${url}/child-1`);
    const seen = record(main);
    const heard = event(client, 'in child');
    io.of('/child-1').to('room').emit('in child', round);
    assert.deepEqual(await heard, [round]);
    await settled(io, [main]);
    assert.equal(seen.length, 1, 'only the mark');
    const gone = event(io.of('/child-1').sockets.values().next().value, 'disconnect');
    client.disconnect();
    await gone;
    assert.equal(io._nsps.has('/child-1'), false);
    main.disconnect();
  }
});

test('a circular packet throws and nothing is sent', async (t) => {
  const { io, url } = await bound(t);
  const client = await connect(url);
  const seen = record(client);
  const loop = {};
  loop.loop = loop;
  assert.throws(() => io.emit('loop', loop), RangeError);
  await settled(io, [client]);
  assert.equal(seen.length, 1);
});

test('with a small command queue nothing is collected: all arrives in order, or its caller hears that it does not', async (t) => {
  const { io, url } = await bound(t, { native: { shards: 1, commandQueueBytes: 65_536, maxOutboxBytes: 64 << 20 } });
  const { clients: [client], sockets: [socket] } = await several(io, url, 1);
  const seen = record(client);
  const pad = 'x'.repeat(20_000);
  const sent = [];
  for (let i = 0; i < 300; i++) {
    try {
      if (i % 3 === 0) io.emit('step', i, pad);
      else if (i % 3 === 1) socket.emit('step', i, pad);
      else socket.emit('step', i, Buffer.from(pad));
      sent.push(i);
    } catch (error) {
      assert.equal(error.code, 'ERR_KRAKEN_WS_QUEUE_FULL');
    }
  }
  const end = event(client, 'end');
  await until(() => {
    try {
      return socket.emit('end');
    } catch (error) {
      assert.equal(error.code, 'ERR_KRAKEN_WS_QUEUE_FULL');
      return false;
    }
  }, 'room for the last event');
  await end;
  assert.deepEqual(seen.filter(([name]) => name === 'step').map(([, i]) => i), sent);
});
