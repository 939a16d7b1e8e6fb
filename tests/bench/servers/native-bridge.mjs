// socket.io with this project's engine under it.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { app } from './app.mjs';
import { serve } from './lines.mjs';

const require = createRequire(import.meta.url);
const { bindNative } = require('../../../node-binding');
const { version } = require('socket.io/package.json');

const httpServer = createServer();
const io = new Server(httpServer);
bindNative(io);
const count = app(io);
httpServer.listen(0, '127.0.0.1', () => {
  serve({
    name: 'socket.io on kraken-ws-native',
    version,
    port: httpServer.address().port,
    count,
    emit: (message) => io.to('room').emit('m', message),
  });
});
