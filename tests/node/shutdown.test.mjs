// The end: close() finishes everything, and nothing keeps the process alive afterwards.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as tcpConnect } from 'node:net';
import { test } from 'node:test';
import { TRANSPORTS, connect, open, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { run } from '../support/child.mjs';
import { freePort, startServer } from '../support/server.mjs';
import { Server, isNative, nativeOnly } from '../support/subject.mjs';
import { deferred, event, within } from '../support/wait.mjs';

// For programs in a process of their own: a server, and a client that opens one WebSocket.
const PRELUDE = `
  const { Server } = require(process.env.SUBJECT_PATH);
  const { io: connect } = require('socket.io-client');
  const dial = (port) => connect('http://127.0.0.1:' + port,
    { transports: ['websocket'], reconnection: false, forceNew: true });
`;

async function endsByItself(program, expected, options) {
  const { code, signal, stdout, stderr } = await run(program, options);
  assert.equal(signal, null, stderr);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trim(), expected, stderr);
}

test('a process that only requires the package exits', async () => {
  await endsByItself(`${PRELUDE} console.log(typeof Server)`, 'function');
});

test('a process whose server was closed at once exits', async () => {
  await endsByItself(`${PRELUDE}
    const io = new Server(0);
    io.close(() => console.log('closed'));
  `, 'closed');
});

for (const [transport, list] of Object.entries(TRANSPORTS)) {
  test(`a process whose server had ${transport} clients exits after close()`, async () => {
    await endsByItself(`${PRELUDE}
      const io = new Server(0);
      io.on('connection', (socket) => {
        socket.join('room');
        socket.on('disconnect', (reason) => console.log(reason));
        socket.on('ready', () => io.close(() => console.log('closed')));
      });
      const client = connect('http://127.0.0.1:' + io.httpServer.address().port,
        { transports: ${JSON.stringify(list)}, reconnection: false });
      client.emit('ready');
    `, 'server shutting down\nclosed');
  });
}

test('a process exits after httpServer.close(), with the last client', async () => {
  await endsByItself(`${PRELUDE}
    const io = new Server(0);
    io.on('connection', (socket) => {
      socket.on('still here', (ack) => ack());
      socket.on('disconnect', (reason) => console.log(reason));
    });
    const client = dial(io.httpServer.address().port);
    client.on('connect', () => {
      io.httpServer.close();
      client.emit('still here', () => client.disconnect());
    });
  `, 'client namespace disconnect');
});

for (const door of ['a port', 'a Node HTTP server']) {
  test(`a polling client that was let in nowhere holds no process after httpServer.close(), on ${door}`, async () => {
    await endsByItself(`${PRELUDE}
      const own = ${door === 'a port'};
      const http = own ? undefined : require('http').createServer();
      const io = own ? new Server(0, { host: '127.0.0.1' }) : new Server(http);
      const { httpServer } = io;
      const begin = () => {
        const client = connect('http://127.0.0.1:' + httpServer.address().port + '/nowhere',
          { transports: ['polling'], reconnection: false });
        client.on('connect_error', ({ message }) => {
          console.log(message);
          client.close();
          httpServer.close();
        });
      };
      own ? begin() : http.listen(0, '127.0.0.1', begin);
    `, 'Invalid namespace');
  });
}

test('a process whose attached server had clients exits after close()', async () => {
  await endsByItself(`${PRELUDE}
    const http = require('http').createServer();
    const io = new Server(http);
    http.listen(0, '127.0.0.1', () => {
      io.on('connection', (socket) => socket.on('ready', async () => {
        await io.close();
        console.log('closed', http.listening);
      }));
      dial(http.address().port).emit('ready');
    });
  `, 'closed false');
});

test('a process exits after close() with acks and timeouts still pending', async () => {
  await endsByItself(`${PRELUDE}
    const io = new Server(0, { connectTimeout: 60000, pingInterval: 60000 });
    io.on('connection', (socket) => {
      socket.emit('question', () => {});
      socket.on('ready', () => io.close(() => console.log('closed')));
    });
    dial(io.httpServer.address().port).emit('ready');
  `, 'closed');
});

test('a broadcast with acks settles on a server whose HTTP server does not listen yet', async () => {
  await endsByItself(`${PRELUDE}
    const io = new Server(require('http').createServer());
    io.timeout(100).emitWithAck('anybody').then((answers) => console.log(answers.length));
  `, '0');
});

test('process.exit() with live connections is clean', async () => {
  await endsByItself(`${PRELUDE}
    const io = new Server(0);
    io.on('connection', (socket) => socket.on('ready', () => { console.log('exit'); process.exit(0); }));
    dial(io.httpServer.address().port).emit('ready');
  `, 'exit');
});

test('ten servers opened and closed in one process leave nothing', async () => {
  await endsByItself(`${PRELUDE}
    (async () => {
      for (let n = 0; n < 10; n += 1) {
        const io = new Server(0);
        const client = dial(io.httpServer.address().port);
        await new Promise((resolve) => client.on('connect', resolve));
        await new Promise((resolve) => io.close(resolve));
      }
      console.log('ten');
    })();
  `, 'ten');
});

test('requiring twice gives the same module, after the cache was emptied one that works too', async () => {
  await endsByItself(`
    const path = require.resolve(process.env.SUBJECT_PATH);
    const first = require(path);
    if (first !== require(path)) throw new Error('not the same');
    for (const key of Object.keys(require.cache)) if (!key.endsWith('.node')) delete require.cache[key];
    const second = require(path);
    const one = new first.Server(0);
    const two = new second.Server(0);
    const ports = [one, two].map((io) => io.httpServer.address().port);
    if (ports[0] === ports[1]) throw new Error('one port');
    one.close(() => two.close(() => console.log('both')));
  `, 'both');
});

test('named imports from ESM', async () => {
  await endsByItself(`
    import { readFileSync } from 'node:fs';
    import { pathToFileURL } from 'node:url';
    const entry = JSON.parse(readFileSync(process.env.SUBJECT_ROOT + '/package.json'));
    const { import: rule } = entry.exports['.'];
    const file = typeof rule === 'string' ? rule : rule.default;
    const { Server, Namespace, Socket } = await import(pathToFileURL(process.env.SUBJECT_ROOT + '/' + file));
    console.log(typeof Server, typeof Namespace, typeof Socket);
    const io = new Server(0);
    await new Promise((resolve) => io.close(resolve));
  `, 'function function function', { type: 'module' });
});

test('the export is callable without new and carries Server', async () => {
  await endsByItself(`
    const make = require(process.env.SUBJECT_PATH);
    const io = make(0);
    console.log(io instanceof make.Server);
    io.close();
  `, 'true');
});

test('a worker thread can run a server of its own, and both threads end', async () => {
  await endsByItself(`${PRELUDE}
    const { Worker } = require('worker_threads');
    const code = \`
      const { parentPort } = require('worker_threads');
      const { Server } = require(process.env.SUBJECT_PATH);
      const io = new Server(0);
      io.on('connection', (socket) => socket.on('q', (x, ack) => {
        ack('worker ' + x);
        socket.on('bye', () => io.close());
      }));
      parentPort.postMessage(io.httpServer.address().port);
    \`;
    const main = new Server(0);
    main.on('connection', (socket) => socket.on('q', (x, ack) => ack('main ' + x)));
    const worker = new Worker(code, { eval: true });
    worker.on('message', async (port) => {
      const toWorker = dial(port);
      const toMain = dial(main.httpServer.address().port);
      const answers = await Promise.all([toWorker.emitWithAck('q', 1), toMain.emitWithAck('q', 2)]);
      console.log(answers.join(', '));
      toWorker.emit('bye');
    });
    worker.on('exit', (status) => {
      console.log('worker exit', status);
      main.close(() => console.log('closed'));
    });
  `, 'worker 1, main 2\nworker exit 0\nclosed');
});

test('a worker that is terminated with a live server takes nothing else down', async () => {
  await endsByItself(`${PRELUDE}
    const { Worker } = require('worker_threads');
    const worker = new Worker(\`
      const { parentPort } = require('worker_threads');
      const { Server } = require(process.env.SUBJECT_PATH);
      const io = new Server(0);
      io.on('connection', () => parentPort.postMessage('connected'));
      parentPort.postMessage(io.httpServer.address().port);
    \`, { eval: true });
    worker.on('message', async (message) => {
      if (message !== 'connected') {
        const client = dial(message);
        client.on('disconnect', () => console.log('client told'));
        return;
      }
      await worker.terminate();
      const io = new Server(0);
      const client = dial(io.httpServer.address().port);
      await new Promise((resolve) => client.on('connect', resolve));
      io.close(() => console.log('main goes on'));
    });
  `, 'client told\nmain goes on');
});

test('close() does not wait for a client that never answers its close frame', nativeOnly, async (t) => {
  const { io, port } = await startServer();
  const socket = tcpConnect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  const answered = event(socket, 'data');
  socket.write('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n'
    + 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  await answered;
  await within(io.close(), 'close');
});

test('close() gives a promise, calls back, and may be called again', async () => {
  const { io, url } = await startServer();
  const { client } = await pair(io, url);
  const called = deferred();
  const promise = io.close(called.resolve);
  assert.ok(promise instanceof Promise);
  await within(promise, 'promise');
  await within(called.promise, 'callback');
  const again = deferred();
  await within(Promise.resolve(io.close((error) => again.resolve(error))), 'second close');
  client.disconnect();
});

test('after close() the port is free again and nobody gets in', async () => {
  const { io, port, url } = await startServer();
  await within(io.close(), 'close');
  const client = open(url);
  const [error] = await event(client, 'connect_error');
  assert.ok(error);
  const other = createServer();
  other.listen(port, '127.0.0.1');
  await within(once(other, 'listening'), 'the same port again');
  other.close();
});

test('emits after close() neither throw nor arrive', async () => {
  const { io, url } = await startServer();
  const { client, socket } = await pair(io, url);
  await within(io.close(), 'close');
  io.emit('late');
  io.to('room').emit('late');
  socket.emit('late');
  assert.equal(socket.connected, false);
  client.disconnect();
});

test('io.httpServer answers address(), listening and emits close, also when made from a port', async () => {
  const port = await freePort();
  const io = new Server(port, isNative ? { host: '127.0.0.1' } : {});
  const { httpServer } = io;
  assert.equal(httpServer.address().port, port);
  const closed = event(httpServer, 'close');
  assert.equal(httpServer.listening, true);
  await within(io.close(), 'close');
  await closed;
  assert.equal(httpServer.listening, false);
});

test('a port that is taken is an error of the http server that names it', async () => {
  const holder = createServer();
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address();
  const { code, stdout, stderr } = await run(`${PRELUDE}
    try {
      const io = new Server(${port}, ${isNative ? "{ host: '127.0.0.1' }" : '{}'});
      io.httpServer.on('error', (error) => { console.log(error.code); process.exit(0); });
    } catch (error) {
      console.log(error.code);
    }
  `);
  holder.close();
  assert.equal(stdout.trim(), 'EADDRINUSE', stderr);
  assert.equal(code, 0);
});

test('a client is not told of its own end by handlers that the shutdown runs', async (t) => {
  const { io, url, close } = await serve(t);
  io.on('connection', (socket) => {
    socket.join('room');
    socket.on('disconnect', () => io.to('room').emit('left', socket.id));
  });
  const clients = await Promise.all([0, 1, 2].map(() => connect(url, { reconnection: false })));
  const heard = clients.map((client) => {
    const own = client.id;
    const ids = [];
    client.on('left', (id) => ids.push(id));
    return { own, ids };
  });
  const ended = clients.map((client) => event(client, 'disconnect'));
  await close();
  await Promise.all(ended);
  for (const { own, ids } of heard) assert.ok(!ids.includes(own));
});

test('a handler of disconnect that throws keeps close() from nothing', async () => {
  await endsByItself(`${PRELUDE}
    process.on('uncaughtException', ({ message }) => { if (message !== 'mine') throw new Error(message); });
    const io = new Server(0${isNative ? ", { host: '127.0.0.1' }" : ''});
    let ended = 0;
    io.on('connection', (socket) => {
      socket.on('disconnect', () => {
        ended += 1;
        if (ended === 1) throw new Error('mine');
      });
      if (io.sockets.sockets.size === 3) io.close(() => setTimeout(() => console.log('closed', ended), 50));
    });
    for (let n = 0; n < 3; n++) dial(io.httpServer.address().port);
  `, 'closed 3');
});
