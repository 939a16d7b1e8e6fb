// Beginning and end: of connections, of the server, of the process and of threads.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { TRANSPORTS, connect, pair } from '../support/clients.mjs';
import { run } from '../support/child.mjs';
import { openPolling } from '../support/http.mjs';
import { nativePath } from '../support/subject.mjs';
import { deferred, event, record, until, within } from '../support/wait.mjs';
import { bound } from './support/bound.mjs';

const PRELUDE = `
  const { Server } = require('socket.io');
  const { bindNative } = require(${JSON.stringify(nativePath)});
  const { io: connect } = require('socket.io-client');
  const dial = (io) => connect('http://127.0.0.1:' + io.httpServer.address().port, { reconnection: false });
`;

async function endsByItself(program, expected) {
  const { code, stdout, stderr } = await run(PRELUDE + program);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trim(), expected, stderr);
}

test('a process that binds a server and never listens exits', async () => {
  await endsByItself(`console.log(bindNative(new Server()) instanceof Server)`, 'true');
});

test('a process exits after io.close(), with clients connected', async () => {
  await endsByItself(`
    const io = bindNative(new Server(0));
    io.on('connection', (socket) => {
      socket.on('disconnect', (reason) => console.log(reason));
      socket.on('ready', () => io.close(() => console.log('closed')));
    });
    dial(io).emit('ready');
  `, 'server shutting down\nclosed');
});

test('a process exits after httpServer.close(), with the last client', async () => {
  await endsByItself(`
    const io = bindNative(new Server(0));
    io.on('connection', (socket) => {
      socket.on('still here', (ack) => ack());
      socket.on('disconnect', (reason) => console.log(reason));
    });
    const client = dial(io);
    client.io.opts.transports = ['websocket'];
    client.on('connect', () => {
      io.httpServer.close();
      client.emit('still here', () => client.disconnect());
    });
  `, 'client namespace disconnect');
});

test('what handlers throw reaches the process and stops nobody else', async () => {
  await endsByItself(`
    process.on('uncaughtException', (error) => console.log(error.message));
    const io = bindNative(new Server(0));
    io.on('connection', (socket) => {
      socket.on('throw', () => { throw new Error('thrown'); });
      socket.on('reject', async () => { throw new Error('rejected'); });
      socket.on('end', () => io.close());
    });
    const client = dial(io);
    client.emit('throw');
    client.emit('reject');
    client.emit('end');
  `, 'thrown\nrejected');
});

test('what arrives while a handler is about to throw is handled behind it', async () => {
  await endsByItself(`
    const { Worker } = require('node:worker_threads');
    process.on('uncaughtException', (error) => console.log(error.message));
    const io = bindNative(new Server(0));
    const worker = new Worker(\`
      const { parentPort, workerData } = require('node:worker_threads');
      const socket = require('socket.io-client').io(workerData, { transports: ['websocket'], reconnection: false });
      socket.on('connect', () => {
        socket.emit('throw');
        setTimeout(() => socket.emit('next'), 100);
      });
    \`, { eval: true, workerData: 'http://127.0.0.1:' + io.httpServer.address().port });
    io.on('connection', (socket) => {
      socket.on('throw', () => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
        throw new Error('thrown');
      });
      socket.on('next', () => {
        console.log('next');
        io.close();
        worker.terminate();
      });
    });
  `, 'thrown\nnext');
});

for (const transport of Object.keys(TRANSPORTS)) {
  test(`io.close() tells ${transport} clients and leaves nothing open`, async (t) => {
    const { io, url, close } = await bound(t);
    const { client, socket } = await pair(io, url, { transport });
    const reason = event(socket, 'disconnect');
    const told = event(client, 'disconnect');
    const { engine } = io;
    await close();
    assert.equal((await reason)[0], 'server shutting down');
    assert.match((await told)[0], /transport (close|error)/);
    assert.equal(engine.clientsCount, 0);
    io.emit('late');
    socket.emit('late');
    await close();
  });
}

test('a server that listens again serves again', async (t) => {
  const { io, httpServer, url, close } = await bound(t);
  const { port } = new URL(url);
  const first = await pair(io, url);
  first.socket.join('room');
  await close();
  httpServer.listen(Number(port), '127.0.0.1');
  await within(once(httpServer, 'listening'), 'listening again');
  const { client, socket } = await pair(io, url);
  socket.join('room');
  const heard = event(client, 'hello');
  io.to('room').emit('hello');
  await heard;
  assert.equal(io.engine.stats().connections, 1);
});

test('the last packets of a client are handled before its end', async (t) => {
  const { io, url } = await bound(t);
  for (const transport of ['websocket', 'polling']) {
    const { client, socket } = await pair(io, url, { transport });
    const seen = [];
    socket.on('last', (value) => seen.push(value));
    const ended = event(socket, 'disconnect');
    for (let i = 0; i < 50; i++) client.emit('last', i);
    client.disconnect();
    assert.equal((await ended)[0], 'client namespace disconnect');
    assert.equal(seen.length, 50);
  }
});

test('clients that come and go in numbers leave nothing behind', async (t) => {
  const { io, url } = await bound(t, { options: { connectTimeout: 1500 } });
  io.on('connection', (socket) => socket.join(['room', `own ${socket.id}`]));
  for (let round = 0; round < 4; round++) {
    const clients = await Promise.all(Array.from({ length: 25 }, (_, i) => connect(url, { transport: i % 2 ? 'websocket' : 'polling' })));
    clients.forEach((client) => client.disconnect());
  }
  // One that never joins a namespace is closed by socket.io's own time-out.
  await openPolling(url);
  await until(() => io.engine.clientsCount === 0, 'everybody gone');
  await until(() => {
    const { connections, sockets, rooms } = io.engine.stats();
    return connections + sockets + rooms === 0;
  }, 'nothing in the core');
  assert.deepEqual([Object.keys(io.engine.clients).length, io.sockets.sockets.size], [0, 0]);
});

test('a bound server runs in a worker thread beside one in the main thread, and the thread ends', async (t) => {
  const { io, url } = await bound(t);
  const worker = new Worker(`
    const { parentPort, workerData } = require('node:worker_threads');
    const { createRequire } = require('node:module');
    const { Server } = createRequire(workerData.here)('socket.io');
    const { bindNative } = require(workerData.native);
    const io = bindNative(new Server(0));
    io.on('connection', (socket) => socket.on('whoami', (ack) => ack('worker')));
    parentPort.postMessage(io.httpServer.address().port);
    parentPort.once('message', () => io.close(() => parentPort.close()));
  `, { eval: true, workerData: { native: nativePath, here: fileURLToPath(import.meta.url) } });
  const [port] = await within(once(worker, 'message'), 'the worker\'s port');
  io.on('connection', (socket) => socket.on('whoami', (ack) => ack('main')));
  const there = await connect(`http://127.0.0.1:${port}`);
  const here = await connect(url);
  assert.equal(await there.emitWithAck('whoami'), 'worker');
  assert.equal(await here.emitWithAck('whoami'), 'main');
  worker.postMessage('end');
  const ended = deferred();
  worker.once('exit', ended.resolve);
  assert.equal(await within(ended.promise, 'the end of the worker'), 0);
  const seen = record(here);
  const still = event(here, 'still');
  io.emit('still');
  await still;
  assert.equal(seen.length, 1);
});
