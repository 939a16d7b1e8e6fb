// The same application as a NestJS gateway: node nest.mjs socket.io (Nest's own adapter) or server (ours).

import { createRequire } from 'node:module';
import { serve } from './lines.mjs';

// Nest is the one that the package is built and tested with.
const require = createRequire(new URL('../../../node-binding/package.json', import.meta.url));
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { IoAdapter } = require('@nestjs/platform-socket.io');
const { MessageBody, SubscribeMessage, WebSocketGateway } = require('@nestjs/websockets');
const { KrakenIoAdapter } = require('kraken-ws-native/nest');
const { sendToRoom, setServer } = require('kraken-ws-native');

const door = process.argv[2];
let io;
let sockets = 0;

class Gateway {
  afterInit(server) {
    io = server;
    setServer(server);
  }

  handleConnection(client) {
    sockets++;
    void client.join('room');
  }

  handleDisconnect() {
    sockets--;
  }

  echo(data) {
    return data;
  }
}
SubscribeMessage('echo')(Gateway.prototype, 'echo', Object.getOwnPropertyDescriptor(Gateway.prototype, 'echo'));
MessageBody()(Gateway.prototype, 'echo', 0);
WebSocketGateway()(Gateway);

class App {}
Module({ providers: [Gateway] })(App);

const app = await NestFactory.create(App, { logger: ['error'] });
app.useWebSocketAdapter(door === 'server' ? new KrakenIoAdapter(app) : new IoAdapter(app));
await app.listen(0, '127.0.0.1');
const { version } = require(door === 'server' ? './package.json' : 'socket.io/package.json');
serve({
  name: door === 'server' ? 'kraken-ws-native' : 'socket.io',
  version,
  port: app.getHttpServer().address().port,
  count: () => sockets,
  emit: (message) => (door === 'server' ? sendToRoom('room', 'm', message) : io.to('room').emit('m', message)),
});
