// socket.conn below Socket.IO: raw messages, and engine.io's events of single packets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Socket as EngineClient } from 'engine.io-client';
import { connect, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { msgpackParser, subject } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';

// What an engine client is told, as text.
function heard(client) {
  const messages = [];
  client.on('message', (data) => messages.push(typeof data === 'object' ? Buffer.from(data).toString('hex') : (data ?? '')));
  return messages;
}

// A client of the engine only, that has joined `/`, and its socket.
async function joined(io, url, transport) {
  const arrived = event(io, 'connection');
  const client = new EngineClient(url, { transports: [transport], path: '/socket.io' });
  await event(client, 'open');
  client.send('0');
  const [socket] = await arrived;
  await event(client, 'message');
  return { client, socket };
}

for (const transport of ['websocket', 'polling']) {
  test(`conn.send sends messages past Socket.IO, in order with what is emitted: ${transport}`, async (t) => {
    const { io, url } = await serve(t);
    const { client, socket } = await joined(io, url, transport);
    const messages = heard(client);
    socket.emit('a');
    assert.equal(socket.conn.send('text é'), socket.conn);
    socket.conn.write(Buffer.from([1, 2]), { compress: false });
    socket.conn.send(new Uint8Array([3, 4]).buffer);
    socket.conn.send('');
    socket.emit('b', 1);
    await until(() => messages.length === 6, 'all messages');
    assert.deepEqual(messages, ['2["a"]', 'text é', '0102', '0304', '', '2["b",1]']);
    client.close();
  });

  test(`the callback of conn.send gets the transport when the message has left: ${transport}`, async (t) => {
    const { io, url } = await serve(t);
    const { client, socket } = await joined(io, url, transport);
    const messages = heard(client);
    const names = [];
    await new Promise((resolve) => {
      socket.conn.send('1', ({ name }) => names.push(name));
      socket.conn.send('2', undefined, ({ name }) => names.push(name));
      socket.conn.send('3', { compress: true }, resolve);
    });
    assert.deepEqual(names, [transport, transport]);
    await until(() => messages.length === 3, 'all messages');
    client.close();
  });

  // On the bridge heartbeats are the core's: `heartbeat` comes, their packets do not.
  test(`conn shows each packet to those who listen: ${transport}`, { skip: subject === 'bridge' }, async (t) => {
    const { io, url } = await serve(t, { pingInterval: 60, pingTimeout: 5000 });
    const { client, socket } = await joined(io, url, transport);
    const came = [];
    const went = [];
    const flushed = [];
    const data = [];
    let drains = 0;
    let beats = 0;
    socket.conn.on('packet', ({ type, data }) => came.push([type, data]));
    socket.conn.on('packetCreate', ({ type, data }) => went.push([type, data]));
    socket.conn.on('flush', (packets) => flushed.push(...packets.map(({ type }) => type)));
    socket.conn.on('drain', () => (drains += 1));
    socket.conn.on('heartbeat', () => (beats += 1));
    const onData = (message) => data.push(message);
    socket.conn.on('data', onData);
    const message = event(socket.conn, 'message');
    const got = event(socket, 'question');
    client.send('2["question"]');
    await got;
    assert.deepEqual(await message, ['2["question"]']);
    assert.deepEqual(data, ['2["question"]']);
    socket.emit('answer', Buffer.from([7]));
    await until(() => went.length >= 3 && beats > 0, 'packets both ways');
    const messages = went.filter(([type]) => type === 'message');
    assert.deepEqual(messages[0], ['message', '51-["answer",{"_placeholder":true,"num":0}]']);
    assert.deepEqual([...messages[1][1]], [7]);
    assert.ok(went.some(([type, data]) => type === 'ping' && data === undefined));
    assert.deepEqual(came.find(([type]) => type === 'message'), ['message', '2["question"]']);
    assert.ok(came.some(([type]) => type === 'pong'));
    await until(() => drains > 0 && flushed.includes('message') && flushed.includes('ping'), 'flushed');
    const kept = came.length;
    // socket.io listens to `data` itself.
    for (const name of ['packet', 'packetCreate', 'flush', 'drain', 'heartbeat']) socket.conn.removeAllListeners(name);
    socket.conn.off('data', onData);
    const again = event(socket, 'again');
    client.send('2["again"]');
    await again;
    assert.equal(came.length, kept);
    client.close();
  });
}

test('binary packets are shown as they came', async (t) => {
  const { io, url } = await serve(t, { parser: msgpackParser });
  const arrived = event(io.engine, 'connection');
  const client = new EngineClient(url, { transports: ['websocket'], path: '/socket.io' });
  const [conn] = await arrived;
  const shown = event(conn, 'packet');
  if (client.readyState !== 'open') await event(client, 'open');
  client.send(Buffer.from('82a47479706500a36e7370a12f', 'hex'));
  const [{ type, data }] = await shown;
  assert.equal(type, 'message');
  assert.equal(Buffer.from(data).toString('hex'), '82a47479706500a36e7370a12f');
  client.close();
});

test('who is shown a new connection misses nothing that its client sends', async (t) => {
  const { io, url } = await serve(t);
  const came = [];
  io.engine.on('connection', (conn) => {
    conn.on('packet', ({ type, data }) => came.push([type, data]));
    conn.on('packetCreate', ({ type, data }) => came.push([type, data]));
  });
  const { socket } = await pair(io, url);
  await until(() => came.length === 2, 'both packets');
  assert.equal(came[0][1].slice(0, 1), '0');
  assert.deepEqual(came[1], ['message', `0${JSON.stringify({ sid: socket.id })}`]);
});

test('packets of a broadcast are shown for each connection that somebody watches', async (t) => {
  const { io, url } = await serve(t);
  const { socket } = await pair(io, url);
  const { socket: second, client } = await pair(io, url);
  const went = [];
  socket.conn.on('packetCreate', (packet) => went.push(packet.type));
  second.conn.once('packetCreate', (packet) => went.push(packet.type));
  const got = event(client, 'last');
  io.emit('first');
  io.emit('last');
  await got;
  await until(() => went.length === 3, 'all packets');
});

test('a connection that is over takes no messages, and what waited for it is not called', async (t) => {
  const { io, url } = await serve(t);
  const client = await connect(url);
  const socket = io.sockets.sockets.get(client.id);
  const { conn } = socket;
  const closed = event(conn, 'close');
  conn.on('packet', () => {});
  client.disconnect();
  await closed;
  assert.equal(conn.send('late', () => assert.fail('called')), conn);
  // One that is first asked for when it is over.
  const late = await connect(url);
  const gone = io.sockets.sockets.get(late.id);
  const ended = event(gone, 'disconnect');
  late.disconnect();
  await ended;
  gone.conn.on('packet', () => assert.fail('shown'));
  gone.conn.send('late', () => assert.fail('called'));
  const next = await connect(url);
  assert.equal(next.connected, true);
});

test('attachments go where they belong when a listener leaves amid packets', async (t) => {
  const { io, url } = await serve(t);
  // On polling the packets come together.
  const { client, socket } = await pair(io, url, { transport: 'polling' });
  const got = [];
  socket.on('bytes', (bytes) => got.push(...bytes));
  let shown = 0;
  const onPacket = () => {
    // The first packet comes alone, the others with the next request.
    if ((shown += 1) === 2) socket.conn.off('packet', onPacket);
  };
  socket.conn.on('packet', onPacket);
  for (const byte of [5, 6, 7]) client.emit('bytes', Buffer.from([byte]));
  await until(() => got.length === 3, 'all events');
  assert.deepEqual(got, [5, 6, 7]);
  assert.equal(shown, 2);
});
