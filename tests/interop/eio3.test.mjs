// socket.io-client 2.5 (Engine.IO 3, Socket.IO protocol 4): served with allowEIO3, refused without.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { TRANSPORTS, openV2, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { enginePath, request } from '../support/http.mjs';
import { deferred, event, events, until, within } from '../support/wait.mjs';

async function start(t, options = {}, transport = 'websocket') {
  const { io, url } = await serve(t, { allowEIO3: true, ...options });
  const arrived = event(io, 'connection');
  const client = openV2(url, { transport });
  const connectedClient = event(client, 'connect');
  const [socket] = await arrived;
  await connectedClient;
  return { io, url, client, socket };
}

for (const transport of Object.keys(TRANSPORTS)) {
  describe(`client 2.5 over ${transport}`, () => {
    test('connects, and both sides exchange events and acks', async (t) => {
      const { client, socket } = await start(t, {}, transport);
      assert.equal(socket.handshake.query.EIO, '3');
      const args = ['é😀 "', 1, { a: [null, true] }];
      const up = event(socket, 'up');
      client.emit('up', ...args);
      assert.deepEqual(await up, args);
      const down = event(client, 'down');
      socket.emit('down', ...args);
      assert.deepEqual(await down, args);

      socket.on('ask server', (x, ack) => ack(`server ${x}`, 2));
      const answer = deferred();
      client.emit('ask server', 1, (...rest) => answer.resolve(rest));
      assert.deepEqual(await within(answer.promise, 'ack'), ['server 1', 2]);
      client.on('ask client', (x, ack) => ack(`client ${x}`));
      assert.equal(await within(socket.emitWithAck('ask client', 2), 'ack'), 'client 2');
    });

    test('binary attachments arrive whole, both ways and in acks', async (t) => {
      const { client, socket } = await start(t, {}, transport);
      const bytes = Buffer.from([0, 1, 30, 128, 255]);
      const up = event(socket, 'bin');
      client.emit('bin', { deep: [bytes] }, 'text', bytes);
      const [value, text, direct] = await up;
      assert.deepEqual(Buffer.from(value.deep[0]), bytes);
      assert.equal(text, 'text');
      assert.deepEqual(Buffer.from(direct), bytes);
      client.on('bin', (given, ack) => ack({ back: given.bytes }));
      const answer = await within(socket.emitWithAck('bin', { bytes }), 'ack');
      assert.deepEqual(Buffer.from(answer.back), bytes);
    });

    test('a burst keeps its order, also while the transport is upgraded', async (t) => {
      const { client, socket } = await start(t, {}, transport);
      const expected = Array.from({ length: 200 }, (_, n) => [n]);
      const down = events(client, 'n', 200);
      const up = events(socket, 'n', 200);
      for (const [n] of expected) {
        socket.emit('n', n);
        client.emit('n', n);
        if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(await down, expected);
      assert.deepEqual(await up, expected);
      if (transport === 'upgrade') await until(() => client.io.engine.transport.name === 'websocket', 'upgraded');
    });

    test('disconnects are told with the same reasons', async (t) => {
      const { client, socket } = await start(t, {}, transport);
      const atServer = event(socket, 'disconnect');
      client.disconnect();
      assert.equal((await atServer)[0], 'client namespace disconnect');
    });

    test('socket.disconnect() tells the client', async (t) => {
      const { client, socket } = await start(t, {}, transport);
      const atClient = event(client, 'disconnect');
      socket.disconnect();
      assert.equal((await atClient)[0], 'io server disconnect');
    });

    test('unicode texts survive the v3 payload, whose lengths count characters', async (t) => {
      const { client, socket } = await start(t, {}, transport);
      const text = 'é€😀👩‍👩‍👧 \u2028 "\\\n'.repeat(50);
      const got = events(client, 'text', 3);
      for (let n = 0; n < 3; n += 1) socket.emit('text', text);
      assert.deepEqual(await got, [[text], [text], [text]]);
      const up = events(socket, 'text', 3);
      for (let n = 0; n < 3; n += 1) client.emit('text', text);
      assert.deepEqual(await up, [[text], [text], [text]]);
    });

    test('text and binary in one polling answer arrive in order', async (t) => {
      const { client, socket } = await start(t, {}, transport);
      const got = events(client, 'mixed', 20);
      for (let n = 0; n < 20; n += 1) socket.emit('mixed', n, n % 2 ? Buffer.from([n]) : 'é');
      const list = await got;
      assert.deepEqual(list.map(([n]) => n), Array.from({ length: 20 }, (_, n) => n));
      assert.deepEqual(Buffer.from(list[5][1]), Buffer.from([5]));
    });
  });
}

test('the client sends the pings in protocol 3 and the server answers them', async (t) => {
  const { client } = await start(t, { pingInterval: 50, pingTimeout: 1000 });
  const pongs = events(client, 'pong', 3);
  await pongs;
  assert.equal(client.connected, true);
});

test('a client of protocol 3 that stops pinging is a ping timeout', async (t) => {
  const { client, socket } = await start(t, { pingInterval: 50, pingTimeout: 80 });
  // It neither pings nor gives up by itself when no pong comes.
  client.io.engine.ping = () => {};
  client.io.engine.onHeartbeat = () => {};
  clearTimeout(client.io.engine.pingTimeoutTimer);
  assert.equal((await event(socket, 'disconnect'))[0], 'ping timeout');
});

test('a namespace with a query: the query is in its handshake', async (t) => {
  const { io, url } = await serve(t, { allowEIO3: true });
  const arrived = event(io.of('/chat'), 'connection');
  const client = openV2(`${url}/chat?token=abc&room=x`);
  const [socket] = await arrived;
  await until(() => client.connected, 'connected');
  assert.equal(socket.nsp.name, '/chat');
  assert.equal(socket.handshake.query.token, 'abc');
  assert.equal(socket.handshake.query.room, 'x');
});

test('the query of a namespace is its auth', async (t) => {
  const { io, url } = await serve(t, { allowEIO3: true });
  const arrived = event(io.of('/chat'), 'connection');
  openV2(`${url}/chat`, { query: { token: 'a b&c', é: '1' } });
  const [socket] = await arrived;
  assert.deepEqual({ ...socket.handshake.auth }, { token: 'a b&c', é: '1' });
});

test('each namespace has the auth of its own query', async (t) => {
  const { io, url } = await serve(t, { allowEIO3: true });
  const auths = {};
  for (const name of ['/', '/a', '/b']) io.of(name).on('connection', (s) => (auths[name] = { ...s.handshake.auth }));
  const ws = new WebSocket(`${url.replace('http', 'ws')}${enginePath('EIO=3&transport=websocket')}`);
  t.after(() => ws.terminate());
  await event(ws, 'open');
  ws.send('40/a?x=1&x=2&y,');
  ws.send('40/b');
  await until(() => Object.keys(auths).length === 3, 'in all namespaces');
  assert.deepEqual(auths, { '/': {}, '/a': { x: '2', y: '' }, '/b': {} });
});

for (const transport of Object.keys(TRANSPORTS)) {
  for (const name of ['/', '/chat']) {
    test(`client and server have one id for a socket: ${name} over ${transport}`, async (t) => {
      const { io, url } = await serve(t, { allowEIO3: true });
      const nsp = io.of(name);
      const [arrived, client] = [events(nsp, 'connection', 2), openV2(url + name, { transport })];
      const other = openV2(url + name, { transport });
      const sockets = (await arrived).map(([each]) => each);
      await until(() => client.connected && other.connected, 'connected');
      const socket = sockets.find(({ id }) => id === client.id);
      assert.ok(socket, `${client.id} is one of ${sockets.map(({ id }) => id)}`);
      assert.equal(nsp.sockets.get(client.id), socket);
      assert.deepEqual([...socket.rooms], [client.id]);
      assert.deepEqual((await nsp.in(client.id).fetchSockets()).map(({ id }) => id), [client.id]);

      const got = [];
      client.on('n', (n) => got.push(n));
      const last = event(other, 'last');
      other.on('n', () => assert.fail('it is for another'));
      nsp.to(client.id).emit('n', 1);
      sockets.find((each) => each !== socket).to(client.id).emit('n', 2);
      socket.broadcast.emit('last');
      await last;
      socket.emit('n', 3);
      await until(() => got.length === 3, 'all came');
      assert.deepEqual(got, [1, 2, 3]);

      nsp.in(client.id).socketsJoin('r');
      await until(() => socket.rooms.has('r'), 'joined');
      socket.leave(client.id);
      nsp.to(client.id).emit('n', 'for a room that it has left');
      nsp.to('r').emit('n', 4);
      await until(() => got.length === 4, 'the room is told');
      assert.equal(got[3], 4);
    });
  }
}

test('a namespace that is joined again has the same id', async (t) => {
  const { io, url } = await serve(t, { allowEIO3: true });
  const chat = io.of('/chat');
  const ws = new WebSocket(`${url.replace('http', 'ws')}${enginePath('EIO=3&transport=websocket')}`);
  t.after(() => ws.terminate());
  await event(ws, 'open');
  const texts = [];
  ws.on('message', (text) => texts.push(String(text)));
  const ids = [];
  for (let n = 0; n < 2; n += 1) {
    const joined = event(chat, 'connection');
    ws.send('40/chat');
    const [socket] = await joined;
    ids.push(socket.id);
    chat.to(socket.id).emit('n', n);
    await until(() => texts.includes(`42/chat,["n",${n}]`), 'it is told');
    const left = event(socket, 'disconnect');
    ws.send('41/chat');
    await left;
  }
  assert.match(ids[0], /^\/chat#./);
  assert.equal(ids[1], ids[0]);
});

test('what a client says of binary with its first request holds for its session', async (t) => {
  const { io, url } = await serve(t, { allowEIO3: true });
  io.on('connection', (socket) => socket.emit('bin', Buffer.from([1, 2])));
  for (const [first, then, type, text] of [
    ['&b64=1', '', 'text/plain; charset=UTF-8', /b4AQI=/],
    ['', '&b64=1', 'application/octet-stream', /\x04\x01\x02/],
    ['&b64=', '', 'application/octet-stream', /\x04\x01\x02/],
  ]) {
    const at = url + enginePath('EIO=3&transport=polling');
    const opened = await request(at + first);
    const { sid } = JSON.parse(/\{.*\}/.exec(opened.text)[0]);
    let found = opened;
    for (let n = 0; n < 5 && !text.test(found.text); n += 1) found = await request(`${at}&sid=${sid}${then}`);
    assert.match(found.text, text, `${first} ${then}`);
    assert.equal(found.headers['content-type'], type, `${first} ${then}`);
  }
});

test('an unknown namespace is an error event for a client of protocol 4', async (t) => {
  const { url } = await serve(t, { allowEIO3: true });
  const client = openV2(`${url}/nowhere`);
  assert.deepEqual(await event(client, 'error'), [{ message: 'Invalid namespace' }]);
});

test('a refusal by middleware reaches an old client as an error event', async (t) => {
  const { io, url } = await serve(t, { allowEIO3: true });
  io.of('/closed').use((socket, next) => {
    const error = new Error('no entry');
    error.data = { why: 'closed' };
    next(error);
  });
  const client = openV2(`${url}/closed`);
  const [answer] = await event(client, 'error');
  // Protocol 4 carries either the data or the message.
  assert.deepEqual(answer, { why: 'closed' });
});

test('old and new clients share rooms, text and binary', async (t) => {
  const { io, url, client: old, socket: oldSocket } = await start(t, {}, 'polling');
  const { client: young, socket } = await pair(io, url);
  oldSocket.join('r');
  socket.join('r');
  const bytes = Buffer.from([1, 2, 3]);
  const both = [event(old, 'news'), event(young, 'news')];
  io.to('r').emit('news', 'é', bytes);
  for (const [text, data] of await Promise.all(both)) {
    assert.equal(text, 'é');
    assert.deepEqual(Buffer.from(data), bytes);
  }
  const answers = await within(io.timeout(200).to('r').emitWithAck('unanswered').catch((e) => e.responses), 'answers');
  assert.deepEqual(answers, []);
});

test('without allowEIO3 an old client is refused with code 5', async (t) => {
  const { io, url } = await serve(t);
  const refused = event(io.engine, 'connection_error');
  const answer = await request(url + enginePath('EIO=3&transport=polling'));
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.json(), { code: 5, message: 'Unsupported protocol version' });
  assert.equal((await refused)[0].code, 5);
  for (const transport of ['websocket', 'polling']) {
    const client = openV2(url, { transport });
    await event(client, 'connect_error');
    assert.equal(client.connected, false);
  }
});
