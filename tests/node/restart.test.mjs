// A server that closes and starts again, also before the end of what it was.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { TRANSPORTS, closeClients, connect, pair } from '../support/clients.mjs';
import { request } from '../support/http.mjs';
import { Server, isNative, nativeOnly } from '../support/subject.mjs';
import { event, until, within } from '../support/wait.mjs';

const urlOf = (httpServer) => `http://127.0.0.1:${httpServer.address().port}`;

async function listening(httpServer) {
  httpServer.listen(0, '127.0.0.1');
  await within(once(httpServer, 'listening'), 'listening');
}

function endWith(t, io) {
  t.after(() => {
    closeClients();
    return within(new Promise((resolve) => io.close(resolve)), 'close');
  });
}

test('an HTTP server that closes and listens again is served again', async (t) => {
  const httpServer = createServer((_incoming, response) => response.writeHead(200).end('rest'));
  const routes = httpServer.listeners('request').length;
  const io = new Server(httpServer, { pingInterval: 1000 });
  endWith(t, io);
  io.on('connection', (socket) => socket.on('echo', (value, ack) => ack(value)));
  for (let round = 0; round < 3; round += 1) {
    await listening(httpServer);
    for (const transport of Object.keys(TRANSPORTS)) {
      const client = await connect(urlOf(httpServer), { transport });
      assert.equal(await within(client.timeout(5000).emitWithAck('echo', round), 'echo'), round);
    }
    assert.equal((await request(`${urlOf(httpServer)}/rest`)).text, 'rest');
    assert.equal(httpServer.listeners('request').length, routes);
    const gone = event(io.sockets, 'all gone');
    io.sockets.sockets.forEach((socket) => socket.on('disconnect', () => {
      if (io.sockets.sockets.size === 0) io.sockets.listeners('all gone').forEach((listener) => listener());
    }));
    closeClients();
    await gone;
    const closed = once(httpServer, 'close');
    httpServer.close();
    httpServer.closeAllConnections();
    await within(closed, 'closed');
  }
});

test('a server that was closed is served again when its HTTP server listens again', async (t) => {
  const httpServer = createServer((_incoming, response) => response.writeHead(200).end('rest'));
  const io = new Server(httpServer);
  endWith(t, io);
  await listening(httpServer);
  await pair(io, urlOf(httpServer));
  closeClients();
  await within(new Promise((resolve) => io.close(resolve)), 'close');
  await listening(httpServer);
  const { client } = await pair(io, urlOf(httpServer));
  assert.equal(client.connected, true);
});

describe('starting again', nativeOnly, () => {
  const options = { host: '127.0.0.1' };
  const portUrl = (io) => `http://127.0.0.1:${io.httpServer.address().port}`;

  test('close() settles also when listen() is called before that', async (t) => {
    const io = new Server(0, options);
    endWith(t, io);
    const first = await pair(io, portUrl(io));
    const front = io.httpServer;
    const told = event(first.client, 'disconnect');
    let called = 0;
    const closed = io.close(() => { called += 1; });
    io.listen(0, options);
    await within(closed, 'first close');
    assert.equal(called, 1);
    assert.equal(front.listening, false);
    await told;
    assert.equal(io.httpServer.listening, true);
    const { client, socket } = await pair(io, portUrl(io));
    const got = event(client, 'hello');
    socket.emit('hello', 1);
    assert.deepEqual(await got, [1]);
    assert.equal((await io.fetchSockets()).length, 1);
  });

  test('all listeners of a server hear of its end', async () => {
    const io = new Server(0, options);
    const first = io.httpServer;
    io.listen(0, options);
    const closed = Promise.all([event(first, 'close'), event(io.httpServer, 'close')]);
    await within(io.close(), 'close');
    await closed;
    assert.equal(first.listening, false);
  });

  test('a new server takes the place of one that was closed on the same HTTP server', async (t) => {
    const httpServer = createServer();
    const first = new Server(httpServer);
    await listening(httpServer);
    await within(first.close(), 'first close');
    const io = new Server(httpServer);
    endWith(t, io);
    first.on('connection', () => assert.fail('the first server is closed'));
    await listening(httpServer);
    for (const transport of Object.keys(TRANSPORTS)) {
      const { client } = await pair(io, urlOf(httpServer), { transport });
      assert.equal(client.connected, true);
    }
    assert.equal(first.engine.clientsCount, 0);
  });

  test('sockets of an engine that was closed are nobody in the next', async (t) => {
    const io = new Server(0, options);
    endWith(t, io);
    const old = await pair(io, portUrl(io));
    const { socket } = old;
    const ended = [];
    socket.on('disconnect', (reason) => ended.push(reason));
    const late = socket.timeout(200).emitWithAck('never answered');
    const failed = assert.rejects(within(late, 'ack'), { message: isNative ? 'socket has been disconnected' : 'operation has timed out' });
    io.engine.close();
    io.listen(0, options);
    assert.deepEqual(ended, ['forced close']);
    assert.equal(socket.connected, false);
    const { client } = await pair(io, portUrl(io));
    const heard = [];
    client.onAny((...args) => heard.push(args));
    // The numbers of both are the same.
    socket.emit('for the old one');
    socket.disconnect(true);
    socket.conn.close();
    const got = event(client, 'all');
    io.emit('all');
    await got;
    assert.deepEqual(heard, [['all']]);
    assert.equal(client.connected, true);
    await failed;
    assert.deepEqual(ended, ['forced close']);
    await until(() => io.engine.clientsCount === 1, 'one connection');
  });
});
