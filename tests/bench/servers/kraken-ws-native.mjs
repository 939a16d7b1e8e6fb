// This project's Node package, with socket.io's script; fan-out goes through sendToRoom.

import { createRequire } from 'node:module';
import { app } from './app.mjs';
import { serve } from './lines.mjs';

const require = createRequire(import.meta.url);
const { Server, setServer, sendToRoom } = require('../../../node-binding');
const { version } = require('../../../node-binding/package.json');

const io = new Server(0, { host: '127.0.0.1' });
setServer(io);
const count = app(io);
const announce = () =>
  serve({
    name: 'kraken-ws-native',
    version,
    port: io.httpServer.address().port,
    count,
    emit: (message) => sendToRoom('room', 'm', message),
  });
if (io.httpServer.listening) announce();
else io.httpServer.once('listening', announce);
