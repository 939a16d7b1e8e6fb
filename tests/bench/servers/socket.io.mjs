// socket.io as most people run it: Node's HTTP server and the ws package.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { app } from './app.mjs';
import { serve } from './lines.mjs';

const { version } = createRequire(import.meta.url)('socket.io/package.json');
const httpServer = createServer();
const io = new Server(httpServer);
const count = app(io);
httpServer.listen(0, '127.0.0.1', () => {
  serve({
    name: 'socket.io',
    version,
    port: httpServer.address().port,
    count,
    emit: (message) => io.to('room').emit('m', message),
  });
});
