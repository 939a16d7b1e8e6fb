// Sockets of a namespace that nobody looks at have no object in JavaScript; whoever looks finds them all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, upgraded } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { run } from '../support/child.mjs';
import { isNative, nativeOnly } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';

test('clients of a namespace without listeners get broadcasts, and looking at it shows them', async (t) => {
  const { io, url } = await serve(t);
  const clients = [await connect(url, { auth: { user: 'a' } }), await connect(url, { transport: 'upgrade' })];
  await upgraded(clients[1]);
  const got = clients.map((client) => event(client, 'news'));
  io.emit('news', 1);
  assert.deepEqual(await Promise.all(got), [[1], [1]]);
  const { sockets, adapter } = io.of('/');
  assert.deepEqual([...sockets.keys()], clients.map((client) => client.id));
  const [a, b] = sockets.values();
  assert.equal(a.handshake.auth.user, 'a');
  assert.equal(a.connected, true);
  assert.deepEqual([...a.rooms], [a.id]);
  assert.ok(adapter.rooms.has(b.id));
  await until(() => b.conn.transport.name === 'websocket', 'the upgrade is known');
  const pong = event(b, 'ping');
  clients[1].emit('ping', 7);
  assert.deepEqual(await pong, [7]);
  const reply = event(clients[0], 'hello');
  a.emit('hello', 'you');
  assert.deepEqual(await reply, ['you']);
});

test('sockets that were never looked at come and go, and later ones are announced', async (t) => {
  const { io, url } = await serve(t);
  for (let n = 0; n < 3; n += 1) {
    const client = await connect(url);
    client.emit('nobody listens', 1, Buffer.from('x'), () => {});
    client.disconnect();
  }
  const stays = await connect(url);
  await until(() => io.engine.clientsCount === 1, 'three have left');
  const announced = event(io, 'connection');
  const later = await connect(url);
  const [socket] = await announced;
  assert.equal(socket.id, later.id);
  assert.deepEqual([...io.sockets.sockets.keys()], [stays.id, later.id]);
  const gone = event(io.sockets.sockets.get(stays.id), 'disconnect');
  stays.disconnect();
  await gone;
  assert.equal(io.sockets.sockets.size, 1);
});

test('mass operations on a namespace that nobody looked at reach its sockets', async (t) => {
  const { io, url } = await serve(t);
  const clients = [await connect(`${url}`), await connect(url)];
  io.in(clients[0].id).socketsJoin('r');
  assert.deepEqual((await io.in('r').fetchSockets()).map(({ id }) => id), [clients[0].id]);
  const got = event(clients[0], 'x');
  io.to('r').emit('x');
  await got;
  const gone = clients.map((client) => event(client, 'disconnect'));
  io.disconnectSockets(true);
  await Promise.all(gone);
  assert.equal(io.sockets.sockets.size, 0);
});

test('a client sees all its namespaces, looked at or not', async (t) => {
  const { io, url } = await serve(t);
  io.of('/quiet');
  const arrived = event(io, 'connection');
  const client = await connect(url, { forceNew: false });
  const [socket] = await arrived;
  const other = client.io.socket('/quiet');
  await event(other, 'connect');
  await until(() => socket.client.sockets.size === 2, 'both sockets');
  assert.ok(socket.client.sockets.has(other.id));
});

test('two thousand sockets that nobody looks at take next to no JavaScript memory', nativeOnly, async () => {
  assert.ok(isNative);
  const { code, stdout, stderr } = await run(`
    const { Server } = require(process.env.SUBJECT_PATH);
    const { io: connect } = require('socket.io-client');
    const { Worker } = require('node:worker_threads');
    const io = new Server(0, { host: '127.0.0.1' });
    const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed; };
    // The clients live in another heap.
    const worker = new Worker(\`
      const { WebSocket } = require('ws');
      const { parentPort, workerData } = require('node:worker_threads');
      parentPort.once('message', async () => {
        for (let n = 0; n < 2000; n += 1) {
          const socket = new WebSocket(workerData);
          await new Promise((done) => socket.on('message', (text) => {
            if (String(text)[0] === '0') socket.send('40');
            else done();
          }));
        }
        parentPort.postMessage('there');
      });
    \`, { eval: true, workerData: 'ws://127.0.0.1:' + io.httpServer.address().port + '/socket.io/?EIO=4&transport=websocket' });
    worker.once('online', () => {
      const before = heap();
      worker.once('message', () => {
        const unseen = heap() - before;
        const { size } = io.sockets.sockets;
        const seen = heap() - before;
        console.log(JSON.stringify({ size, unseen, seen }));
        process.exit(0);
      });
      worker.postMessage('go');
    });
  `, { args: ['--expose-gc'], ms: 60_000 });
  assert.equal(code, 0, stderr);
  const { size, unseen, seen } = JSON.parse(stdout);
  assert.equal(size, 2000);
  // Compiled code and the like; an object per socket would be 0.8 MB at least.
  assert.ok(unseen < 300_000, `${unseen} bytes for sockets that nobody looked at`);
  assert.ok(seen > unseen + 500_000, `${seen} bytes once they were looked at: the test measures nothing`);
});
