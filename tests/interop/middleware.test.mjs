// Connection middleware: who gets in, what a refused client is told, and what may be done before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORTS, connect, connected, open, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { event, record, until } from '../support/wait.mjs';

const tick = () => new Promise((resolve) => setImmediate(resolve));

test('middlewares run in the order they were installed, each after the one before', async (t) => {
  const { io, url } = await serve(t);
  const steps = [];
  io.use(async (socket, next) => {
    steps.push('one begins');
    await tick();
    await tick();
    steps.push('one ends');
    next();
  });
  io.use((socket, next) => {
    steps.push('two');
    next();
  });
  io.on('connection', () => steps.push('connection'));
  await connect(url);
  assert.deepEqual(steps, ['one begins', 'one ends', 'two', 'connection']);
});

for (const transport of Object.keys(TRANSPORTS)) {
  test(`an error given to next() reaches the client with message and data over ${transport}`, async (t) => {
    const { io, url } = await serve(t);
    let connections = 0;
    io.on('connection', () => { connections += 1; });
    io.use(async (socket, next) => {
      await tick();
      const error = new Error('AUTH_FAILED "é"');
      error.data = { code: 401, list: [1, null], text: '😀' };
      next(error);
    });
    const client = open(url, { transport });
    const [error] = await event(client, 'connect_error');
    assert.equal(error.message, 'AUTH_FAILED "é"');
    assert.deepEqual(error.data, { code: 401, list: [1, null], text: '😀' });
    assert.equal(client.connected, false);
    assert.equal(connections, 0);
    assert.equal(io.of('/').sockets.size, 0);
  });
}

test('an error without data is told without data', async (t) => {
  const { io, url } = await serve(t);
  io.use((socket, next) => next(new Error('no')));
  const [error] = await event(open(url), 'connect_error');
  assert.equal(error.message, 'no');
  assert.equal(error.data, undefined);
});

test('the middlewares after a refusal do not run', async (t) => {
  const { io, url } = await serve(t);
  let later = false;
  io.use((socket, next) => next(new Error('stop')));
  io.use((socket, next) => {
    later = true;
    next();
  });
  await event(open(url), 'connect_error');
  assert.equal(later, false);
});

test('a refused client may try again on the same connection with other auth', async (t) => {
  const { io, url } = await serve(t);
  io.use((socket, next) => next(socket.handshake.auth.token === 'good' ? undefined : new Error('bad token')));
  const client = open(url, { auth: { token: 'bad' } });
  const [error] = await event(client, 'connect_error');
  assert.equal(error.message, 'bad token');
  client.auth = { token: 'good' };
  const done = connected(client);
  client.connect();
  await done;
  assert.equal(client.connected, true);
});

test('what a middleware sets on handshake and data is there for the handlers', async (t) => {
  const { io, url } = await serve(t);
  io.use(async (socket, next) => {
    await tick();
    socket.handshake.user = { sub: socket.handshake.auth.token };
    socket.data.role = 'admin';
    next();
  });
  const { socket } = await pair(io, url, { auth: { token: 'u1' } });
  assert.deepEqual(socket.handshake.user, { sub: 'u1' });
  assert.equal(socket.data.role, 'admin');
});

test('the socket has its id in a middleware but is not in the namespace yet', async (t) => {
  const { io, url } = await serve(t);
  const seen = {};
  io.use((socket, next) => {
    seen.id = socket.id;
    seen.connected = socket.connected;
    seen.rooms = [...socket.rooms];
    seen.listed = io.of('/').sockets.has(socket.id);
    next();
  });
  const { client, socket } = await pair(io, url);
  assert.equal(seen.id, client.id);
  assert.deepEqual(seen.rooms, []);
  assert.equal(seen.listed, false);
  assert.deepEqual([...socket.rooms], [client.id]);
  assert.equal(io.of('/').sockets.get(client.id), socket);
});

test('emits made in a middleware are delivered once the client is in, in order, before later ones', async (t) => {
  const { io, url } = await serve(t);
  io.use(async (socket, next) => {
    socket.emit('early', 1);
    await tick();
    socket.emit('early', 2);
    next();
  });
  io.on('connection', (socket) => socket.emit('late', 3));
  const client = open(url);
  const order = [];
  // A listener runs only once the client is connected: what came before waits in its receive buffer.
  client.onAny((name, n) => order.push([name, n, client.connected]));
  await until(() => order.length === 3, 'three events');
  assert.deepEqual(order, [['early', 1, true], ['early', 2, true], ['late', 3, true]]);
});

test('emits of a refused connection are not delivered', async (t) => {
  const { io, url } = await serve(t);
  io.use((socket, next) => {
    socket.emit('early');
    next(new Error('no'));
  });
  const client = open(url);
  const seen = record(client);
  await event(client, 'connect_error');
  assert.deepEqual(seen, []);
});

test('rooms joined in a middleware are kept', async (t) => {
  const { io, url } = await serve(t);
  io.use(async (socket, next) => {
    await socket.join('early room');
    next();
  });
  const { client, socket } = await pair(io, url);
  assert.ok(socket.rooms.has('early room'));
  const got = event(client, 'to room');
  io.to('early room').emit('to room', 'yes');
  assert.deepEqual(await got, ['yes']);
});

test('events a client sends before it is accepted are held back, none is lost', async (t) => {
  const { io, url } = await serve(t);
  io.use(async (socket, next) => {
    await tick();
    next();
  });
  const seen = [];
  io.on('connection', (socket) => socket.onAny((name, n) => seen.push([name, n])));
  const client = open(url);
  client.emit('buffered', 1);
  client.emit('buffered', 2);
  await until(() => seen.length === 2, 'both events');
  assert.deepEqual(seen, [['buffered', 1], ['buffered', 2]]);
});

test('a client that goes away while the middleware thinks leaves nothing behind', async (t) => {
  const { io, url } = await serve(t);
  let release;
  const entered = new Promise((resolve) => {
    io.use((socket, next) => {
      release = next;
      resolve(socket);
    });
  });
  let inside = 0;
  io.on('connection', (socket) => {
    inside += 1;
    socket.on('disconnect', () => { inside -= 1; });
  });
  const client = open(url);
  await entered;
  client.io.engine.close();
  await until(() => io.engine.clientsCount === 0, 'client gone');
  release();
  await tick();
  await until(() => inside === 0 && io.of('/').sockets.size === 0, 'nobody inside');
  assert.deepEqual(await io.fetchSockets(), []);
});

test('each namespace has middleware of its own', async (t) => {
  const { io, url } = await serve(t);
  io.of('/closed').use((socket, next) => next(new Error('members only')));
  io.of('/open');
  assert.equal((await connect(`${url}/open`)).connected, true);
  const [error] = await event(open(`${url}/closed`), 'connect_error');
  assert.equal(error.message, 'members only');
});

test('socket.use sees every event, may change it, and an error stays on the server', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const packets = [];
  socket.use(([name, ...args], next) => {
    packets.push([name, ...args]);
    if (name === 'bad') next(new Error('refused'));
    else next();
  });
  socket.use((packet, next) => {
    if (packet[0] === 'change') packet[1] = 'changed';
    next();
  });
  const failed = event(socket, 'error');
  const changed = event(socket, 'change');
  let badArrived = false;
  socket.on('bad', () => { badArrived = true; });
  client.emit('bad', 1);
  client.emit('change', 'as sent');
  assert.equal((await failed)[0].message, 'refused');
  assert.deepEqual(await changed, ['changed']);
  assert.equal(badArrived, false);
  assert.deepEqual(packets[0], ['bad', 1]);
});

for (const transport of Object.keys(TRANSPORTS)) {
  test(`a ${transport} client that no middleware ever answers is let go after connectTimeout`, async (t) => {
    const { io, url } = await serve(t, { connectTimeout: 300 });
    io.of('/hangs').use(() => {});
    io.of((name, auth, next) => {
      if (name !== '/asks') next(null, false);
    });
    for (const name of ['/hangs', '/asks']) {
      const client = open(url + name, { transport });
      await event(client.io, 'close');
      assert.equal(client.connected, false);
    }
    await until(() => io.engine.clientsCount === 0, 'connections gone');
  });
}

test('a client that waits for one namespace and is in another stays', async (t) => {
  const { io, url } = await serve(t, { connectTimeout: 200, pingInterval: 150 });
  io.of('/hangs').use(() => {});
  const client = await connect(url);
  client.io.socket('/hangs');
  let pings = 0;
  client.io.on('ping', () => { pings += 1; });
  await until(() => pings > 2, 'connectTimeout is over');
  assert.equal(client.connected, true);
});
