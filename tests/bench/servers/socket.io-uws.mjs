// socket.io on uWebSockets.js instead of Node's HTTP server and ws.

import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { app } from './app.mjs';
import { serve } from './lines.mjs';
import { uws, uwsVersion } from './uws-binary.mjs';

const { version } = createRequire(import.meta.url)('socket.io/package.json');
const http = uws.App();
const io = new Server();
io.attachApp(http);
const count = app(io);
http.listen('127.0.0.1', 0, (listening) => {
  serve({
    name: 'socket.io on uWebSockets.js',
    version: `${version} on ${uwsVersion}`,
    port: uws.us_socket_local_port(listening),
    count,
    emit: (message) => io.to('room').emit('m', message),
  });
});
