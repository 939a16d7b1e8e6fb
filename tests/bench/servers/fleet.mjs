// One node of a fleet: `fleet.mjs KIND MODE`, KIND socket.io with its Redis adapter or native, MODE classic or sharded.
// BENCH_REDIS names the Redis.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { serve } from './lines.mjs';

const ROOMS = 200;
const [kind, mode] = process.argv.slice(2);
const url = process.env.BENCH_REDIS;
const require = createRequire(import.meta.url);

const httpServer = createServer();
const io = kind === 'native' ? native() : await socketIo();
let sockets = 0;
let next = 0;
io.on('connection', (socket) => {
  socket.join(['room', `room-${sockets++ % ROOMS}`]);
  socket.on('disconnect', () => sockets--);
});

if (!io.httpServer.listening) await new Promise((resolve) => io.httpServer.once('listening', resolve));
serve({
  name: kind === 'native' ? 'kraken-ws-native' : 'socket.io and @socket.io/redis-adapter',
  version: kind === 'native' ? require('../../../node-binding/package.json').version : require('socket.io/package.json').version,
  port: io.httpServer.address().port,
  count: () => sockets,
  emit: (message) => io.to('room').emit('m', message),
  scatter: (message) => io.to(`room-${next++ % ROOMS}`).emit('m', message),
});

function native() {
  const { Server } = require('../../../node-binding');
  return new Server(0, { host: '127.0.0.1', cluster: { redis: url, mode, waitForRedis: true } });
}

async function socketIo() {
  const { Server } = await import('socket.io');
  const { createAdapter, createShardedAdapter } = await import('@socket.io/redis-adapter');
  const { createClient } = await import('redis');
  const pub = createClient({ url });
  const sub = pub.duplicate();
  await Promise.all([pub.connect(), sub.connect()]);
  httpServer.listen(0, '127.0.0.1');
  return new Server(httpServer, {
    adapter: mode === 'sharded' ? createShardedAdapter(pub, sub) : createAdapter(pub, sub),
  });
}
