// Everything that one node does to clients and servers of another: tests that hold for any two kinds of nodes. Node a
// acts; b has most of the clients.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeClients } from '../support/clients.mjs';
import { deferred, event, events, until, within } from '../support/wait.mjs';
import { crowd } from './support/crowd.mjs';
import { enter, member, startFleet } from './support/fleet.mjs';
import { gather } from './support/gather.mjs';

const ACK_MS = 3000;
const MEGABYTE = 1_000_000;

let serial = 0;
// Rooms of one test are nobody else's.
const fresh = (name) => `${name} ${(serial += 1)}`;

const BINARY = Buffer.from([0, 1, 2, 253, 254, 255]);

// By name: what is sent, and what arrives, where that is another thing.
const PAYLOADS = {
  'no arguments': { send: [] },
  text: { send: ['text', '', 'with "quotes" and \\ \n'] },
  unicode: { send: ['žluťoučký 🐙 漢字 \u2028 \u0000', { 'klíč ✓': '💥' }] },
  numbers: { send: [0, -1, 1.5, 2 ** 31, 2 ** 40, -(2 ** 53), 0.1, 127, 128, 65_536, -129] },
  'nothing at all': { send: [null, false, true, { a: null, b: [] }, [], {}] },
  'undefined and NaN': { send: [{ gone: undefined, nan: NaN }, Infinity], arrive: [{ nan: null }, null] },
  dates: {
    send: [new Date(0), { at: new Date(1_700_000_000_123) }],
    arrive: ['1970-01-01T00:00:00.000Z', { at: '2023-11-14T22:13:20.123Z' }],
  },
  toJSON: { send: [{ toJSON: () => ({ as: 'told' }) }], arrive: [{ as: 'told' }] },
  binary: { send: [BINARY] },
  'binary within': { send: [{ list: [BINARY, 'text', Buffer.alloc(0)] }, 1] },
  'a typed array': { send: [new Uint8Array(BINARY)], arrive: [BINARY] },
  'a megabyte of text': { send: ['x'.repeat(MEGABYTE - 1000)] },
  'a megabyte of bytes': { send: [Buffer.alloc(MEGABYTE - 1000, 7)] },
};

// Clients in Node get Buffers.
function same(actual, expected) {
  if (Buffer.isBuffer(expected)) {
    assert.ok(Buffer.isBuffer(actual), `expected a Buffer, got ${JSON.stringify(actual)?.slice(0, 80)}`);
    assert.ok(actual.equals(expected), `bytes differ: ${actual.toString('hex', 0, 20)}`);
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual));
    assert.equal(actual.length, expected.length);
    expected.forEach((value, n) => same(actual[n], value));
  } else if (expected !== null && typeof expected === 'object') {
    assert.deepEqual(Object.keys(actual), Object.keys(expected));
    for (const key of Object.keys(expected)) same(actual[key], expected[key]);
  } else {
    assert.equal(actual, expected);
  }
}

// All tests of one pair of kinds in one mode, within a `describe`. `start` gives what `startFleet` takes.
export function operations({ kinds, mode, start }) {
  const stack = [];
  let a;
  let b;
  let redis;
  let here;
  let there;
  let members;
  let clients;

  before(async () => {
    const t = { after: (fn) => stack.push(fn) };
    const given = await start(t);
    redis = given.redis;
    [a, b] = await startFleet(t, { kinds, mode, ...given });
    here = await member(a);
    there = [await member(b), await member(b), await member(b)];
    members = [here, ...there];
    clients = members.map(({ client }) => client);
  });
  after(async () => {
    closeClients();
    for (const fn of stack.reverse()) await fn();
  });

  const receive = (act) => gather(a.io, clients, act);

  test('everybody gets a broadcast, once', async () => {
    const got = await receive(() => a.io.emit('all', 1));
    assert.deepEqual(got, clients.map(() => [['all', 1]]));
  });

  test('members of a room get what is sent to it, others not', async () => {
    const room = fresh('room');
    await enter(redis, [here, there[0], there[1]], room);
    const got = await receive(() => a.io.to(room).emit('inside'));
    assert.deepEqual(got, [[['inside']], [['inside']], [['inside']], []]);
  });

  test('one member of several rooms gets one message', async () => {
    const [one, two] = [fresh('one'), fresh('two')];
    await enter(redis, [there[0], there[1]], one);
    await enter(redis, [there[1], there[2]], two);
    const got = await receive(() => a.io.to([one, two]).emit('either'));
    assert.deepEqual(got, [[], [['either']], [['either']], [['either']]]);
  });

  test('members of excepted rooms are left out', async () => {
    const [room, not] = [fresh('room'), fresh('not')];
    await enter(redis, [here, ...there], room);
    await enter(redis, [there[1]], not);
    const got = await receive(() => {
      a.io.to(room).except(not).emit('some');
      a.io.except(not).emit('most');
      a.io.except([not, there[0].socket.id]).emit('few');
    });
    assert.deepEqual(got, [
      [['some'], ['most'], ['few']], [['some'], ['most']], [], [['some'], ['most'], ['few']],
    ]);
  });

  test('a socket sends to all but itself, with socket.to and socket.broadcast', async () => {
    const room = fresh('room');
    await enter(redis, [here, there[2]], room);
    const got = await receive(() => {
      here.socket.to(room).emit('to');
      here.socket.broadcast.emit('broadcast');
    });
    assert.deepEqual(got, [[], [['broadcast']], [['broadcast']], [['to'], ['broadcast']]]);
  });

  test('a socket of another node is a room by its id', async () => {
    const got = await receive(() => a.io.to(there[1].socket.id).emit('you'));
    assert.deepEqual(got, [[], [], [['you']], []]);
  });

  test('local stays on the node', async () => {
    const room = fresh('room');
    await enter(redis, [here, there[0]], room);
    const got = await receive(() => {
      a.io.local.emit('mine');
      a.io.to(room).local.emit('room');
    });
    assert.deepEqual(got, [[['mine'], ['room']], [], [], []]);
  });

  test('volatile messages and those without compression arrive', async () => {
    const got = await receive(() => {
      a.io.volatile.emit('volatile');
      a.io.compress(false).emit('plain');
    });
    assert.deepEqual(got[1], [['volatile'], ['plain']]);
  });

  test('each kind of payload arrives as it does on one node', async (t) => {
    const room = fresh('room');
    await enter(redis, [here, there[0]], room);
    for (const [name, { send, arrive = send }] of Object.entries(PAYLOADS)) {
      await t.test(name, async () => {
        const [near, far] = await gather(a.io, [here.client, there[0].client], () => {
          a.io.to(room).emit('payload', ...send);
          a.io.emit('payload', ...send);
        });
        for (const got of [near, far]) same(got, [['payload', ...arrive], ['payload', ...arrive]]);
      });
    }
  });

  // The channel of such a room is another one at JavaScript nodes.
  const alike = kinds.every((kind) => kind === 'native') ? false : 'JavaScript nodes do not hear of such rooms';
  test('a room, an event and a payload with half a surrogate pair reach the other node', { skip: alike }, async () => {
    // MessagePack is UTF-8, in socket.io's adapter too.
    const over = (text) => (mode === 'classic' ? text.toWellFormed() : text);
    for (const half of ['a\ud83d', '\udc19b', '\udc19\ud83d']) {
      const room = fresh(half);
      for (const { socket } of [here, there[0]]) await socket.join(room);
      const found = event(there[0].client, 'found');
      let tries = 0;
      const trying = setInterval(() => (tries += 1) < 100 && a.io.to(room).emit('found'), 50);
      await found.finally(() => clearInterval(trying));
      const [near, far, other] = await gather(a.io, [here.client, there[0].client, there[1].client], () => {
        a.io.to(room).emit(half, half, { [half]: [half] });
        a.io.to(`${room}\ufffd`).emit('nobody');
      });
      assert.deepEqual(near.at(-1), [half, half, { [half]: [half] }]);
      assert.deepEqual(far.at(-1), [over(half), over(half), { [over(half)]: [over(half)] }]);
      assert.deepEqual(other, []);
    }
  });

  test('a room without members gets nothing, one with a thousand gets it all', async (t) => {
    const room = fresh('crowded');
    const join = (socket) => socket.handshake.auth.room === room && socket.join(room);
    b.io.on('connection', join);
    const many = await crowd(t, b.url, 1000, { auth: { room } });
    b.io.off('connection', join);
    await enter(redis, [there[0]], room);
    assert.equal(b.io.of('/').adapter.rooms.get(room).size, 1001);
    for (let n = 0; n < 5; n += 1) a.io.to(room).emit('crowd', n);
    await many.got(5);
    assert.ok(many.clients.every(({ last }) => last === '42["crowd",4]'));
    const got = await receive(() => a.io.to(fresh('empty')).emit('nobody'));
    assert.deepEqual(got, clients.map(() => []));
  });

  test('messages of one sender arrive in order, to rooms and to all', async () => {
    const room = fresh('room');
    await enter(redis, [here, ...there], room);
    const got = await receive(() => {
      for (let n = 0; n < 300; n += 1) (n % 3 === 0 ? a.io : a.io.to(room)).emit('n', n);
    });
    for (const seen of got) assert.deepEqual(seen, Array.from({ length: 300 }, (_, n) => ['n', n]));
  });

  test('namespaces are apart', async () => {
    const name = `/${fresh('nsp')}`;
    a.io.of(name);
    b.io.of(name);
    const [inside] = [await member(b, { nsp: name })];
    await until(async () => (await a.io.of(name).adapter.serverCount()) === 2, 'the namespace on both');
    const [got] = await gather(a.io.of(name), [inside.client], () => {
      a.io.emit('outside');
      a.io.of(name).emit('inside');
    });
    assert.deepEqual(got, [['inside']]);
  });

  test('socketsJoin and socketsLeave reach sockets of the other node', async () => {
    const [room, more] = [fresh('room'), fresh('more')];
    await enter(redis, [here, there[0], there[1]], room);
    a.io.in(room).socketsJoin([more, `${more}!`]);
    const joined = ({ socket }) => socket.rooms.has(more) && socket.rooms.has(`${more}!`);
    await until(() => [here, there[0], there[1]].every(joined), 'joined');
    assert.equal(joined(there[2]), false);
    await enter(redis, [here, there[0], there[1]], more);
    assert.deepEqual(await receive(() => a.io.to(more).emit('m')), [[['m']], [['m']], [['m']], []]);
    a.io.in(room).except(there[1].socket.id).socketsLeave(more);
    await until(() => ![here, there[0]].some(({ socket }) => socket.rooms.has(more)), 'left');
    assert.equal(b.io.of('/').adapter.rooms.get(more).size, 1);
    assert.deepEqual(await receive(() => a.io.to(more).emit('m')), [[], [], [['m']], []]);
    a.io.socketsJoin(`${more}?`);
    await until(() => members.every(({ socket }) => socket.rooms.has(`${more}?`)), 'everybody joined');
  });

  test('disconnectSockets ends sockets of the other node, with and without their connections', async () => {
    const name = `/${fresh('second')}`;
    b.io.of(name);
    for (const close of [false, true]) {
      const room = fresh('room');
      const leaving = await member(b);
      const second = leaving.client.io.socket(name);
      await event(second, 'connect');
      await enter(redis, [leaving], room);
      const gone = event(leaving.client, 'disconnect');
      const seen = event(leaving.socket, 'disconnect');
      const over = close ? event(second, 'disconnect') : undefined;
      a.io.in(room).disconnectSockets(close);
      assert.equal((await gone)[0], 'io server disconnect');
      assert.equal((await seen)[0], 'server namespace disconnect');
      await over;
      assert.equal(second.connected, !close);
      second.disconnect();
    }
  });

  test('fetchSockets shows sockets of both nodes, with handshake, rooms and data', async () => {
    const room = fresh('room');
    const other = await member(b, { auth: { name: 'žofie' }, query: { q: '1' }, extraHeaders: { 'x-y': 'z' } });
    other.socket.data.user = { id: 7, tags: ['a', 'ž'] };
    here.socket.data = { side: 'a' };
    await enter(redis, [here, other], room);
    const found = await a.io.in(room).fetchSockets();
    assert.deepEqual(found.map(({ id }) => id).sort(), [here.socket.id, other.socket.id].sort());
    const foreign = found.find(({ id }) => id === other.socket.id);
    assert.deepEqual([...foreign.rooms].sort(), [other.socket.id, room].sort());
    assert.deepEqual(foreign.data, { user: { id: 7, tags: ['a', 'ž'] } });
    const { handshake } = foreign;
    const original = other.socket.handshake;
    assert.deepEqual(Object.keys(handshake).sort(), [
      'address', 'auth', 'headers', 'issued', 'query', 'secure', 'time', 'url', 'xdomain',
    ]);
    assert.deepEqual(handshake.auth, { name: 'žofie' });
    assert.equal(handshake.query.q, '1');
    assert.equal(handshake.headers['x-y'], 'z');
    for (const key of ['address', 'issued', 'secure', 'time', 'url', 'xdomain']) {
      assert.equal(handshake[key], original[key], key);
    }
    assert.deepEqual(found.find(({ id }) => id === here.socket.id).data, { side: 'a' });
    assert.equal((await a.io.fetchSockets()).length, members.length + 1);
    assert.deepEqual((await a.io.local.fetchSockets()).map(({ id }) => id), [here.socket.id]);
    assert.deepEqual(await a.io.in(fresh('empty')).fetchSockets(), []);
    other.client.disconnect();
    await until(() => b.io.of('/').sockets.size === there.length, 'gone');
  });

  test('a foreign socket gets events, joins, leaves and is ended', async () => {
    const [room, more] = [fresh('room'), fresh('more')];
    const other = await member(b);
    await enter(redis, [other], room);
    const [foreign] = await a.io.in(room).fetchSockets();
    const heard = event(other.client, 'hello');
    foreign.emit('hello', 1, BINARY);
    assert.deepEqual(await heard, [1, BINARY]);
    foreign.join(more);
    await until(() => other.socket.rooms.has(more), 'joined');
    foreign.leave(more);
    await until(() => !other.socket.rooms.has(more), 'left');
    other.client.on('ask', (x, ack) => ack(x + 1));
    assert.equal(await within(foreign.timeout(ACK_MS).emitWithAck('ask', 1), 'ack'), 2);
    const gone = event(other.client, 'disconnect');
    foreign.disconnect(true);
    await gone;
    await until(() => b.io.of('/').sockets.size === there.length, 'gone');
  });

  test('serverSideEmit reaches the other node, not this one', async () => {
    const own = [];
    a.io.on('server event', (...args) => own.push(args));
    const heard = events(b.io, 'server event', 2);
    a.io.serverSideEmit('server event', 1, 'ž', { deep: [null, 1.5] });
    a.io.serverSideEmit('server event');
    assert.deepEqual(await heard, [[1, 'ž', { deep: [null, 1.5] }], []]);
    assert.deepEqual(own, []);
    a.io.removeAllListeners('server event');
  });

  test('serverSideEmit with an acknowledgement collects one answer per other node', async () => {
    b.io.on('sum', (x, y, ack) => ack(x + y));
    const done = deferred();
    a.io.serverSideEmit('sum', 1, 2, (err, answers) => done.resolve([err, answers]));
    assert.deepEqual(await within(done.promise, 'answers'), [null, [3]]);
    assert.deepEqual(await within(a.io.serverSideEmitWithAck('sum', 3, 4), 'answers'), [7]);
    b.io.removeAllListeners('sum');
  });

  test('acknowledgements come from clients of both nodes', async () => {
    const room = fresh('room');
    await enter(redis, [here, there[0], there[1]], room);
    members.forEach(({ client }, n) => client.on('ask', (x, ack) => ack({ n, x })));
    const all = await within(a.io.timeout(ACK_MS).emitWithAck('ask', 'ž'), 'all');
    assert.deepEqual(all.map(({ n, x }) => `${n}${x}`).sort(), ['0ž', '1ž', '2ž', '3ž']);
    const done = deferred();
    a.io.to(room).timeout(ACK_MS).emit('ask', BINARY, (err, answers) => done.resolve([err, answers]));
    const [err, answers] = await within(done.promise, 'room');
    assert.equal(err, null);
    assert.deepEqual(answers.map(({ n }) => n).sort(), [0, 1, 2]);
    for (const { x } of answers) assert.ok(BINARY.equals(x));
    assert.deepEqual(await within(a.io.to(fresh('empty')).timeout(ACK_MS).emitWithAck('ask', 1), 'nobody'), []);
    for (const { client } of members) client.off('ask');
  });

  test('when not everybody acknowledges in time, what came is there', async () => {
    const room = fresh('room');
    await enter(redis, [here, there[0], there[1]], room);
    here.client.on('ask', (ack) => ack('here'));
    there[0].client.on('ask', (ack) => ack('there'));
    await assert.rejects(a.io.to(room).timeout(400).emitWithAck('ask'), (err) => {
      assert.equal(err.message, 'operation has timed out');
      assert.deepEqual(err.responses.sort(), ['here', 'there']);
      return true;
    });
    for (const { client } of members) client.off('ask');
  });

  test('adapter.allRooms names rooms of both nodes', async (t) => {
    const { adapter } = a.io.of('/');
    // Its own requests for them are none that others could answer either.
    const lacks = ({ kind }) => mode !== 'classic' && kind !== 'native';
    if (lacks(a) || lacks(b)) return t.skip("socket.io's sharded adapter does not have it");
    const [one, two] = [fresh('one'), fresh('two')];
    await enter(redis, [here], one);
    await enter(redis, [there[0]], two);
    const rooms = await adapter.allRooms();
    assert.ok(rooms instanceof Set);
    for (const room of [one, two, here.socket.id, there[0].socket.id]) assert.ok(rooms.has(room), room);
  });

  test('adapter.serverCount counts the nodes', async () => {
    assert.equal(await a.io.of('/').adapter.serverCount(), 2);
  });
}
