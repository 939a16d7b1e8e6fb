// A Nest application on `@nestjs/platform-socket.io`'s own adapter; decorators are applied by calling them.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer, WsException } from '@nestjs/websockets';

class Gateway {
  afterInit(server) {
    this.initialised = server;
  }

  handleConnection(socket) {
    socket.join('everybody');
  }

  handleDisconnect() {
    this.left = (this.left ?? 0) + 1;
  }

  echo(body, socket) {
    return { event: 'echoed', data: { body, id: socket.id } };
  }

  ask(body) {
    return { answer: body.n + 1 };
  }

  tell(body, socket) {
    socket.to('everybody').emit('news', body);
  }

  fail() {
    throw new WsException('refused');
  }
}

const method = (name) => Object.getOwnPropertyDescriptor(Gateway.prototype, name);
for (const name of ['echo', 'ask', 'tell', 'fail']) SubscribeMessage(name)(Gateway.prototype, name, method(name));
for (const name of ['echo', 'ask', 'tell']) MessageBody()(Gateway.prototype, name, 0);
for (const name of ['echo', 'tell']) ConnectedSocket()(Gateway.prototype, name, 1);
WebSocketServer()(Gateway.prototype, 'server');
WebSocketGateway({ cors: { origin: true, credentials: true }, pingInterval: 25_000, pingTimeout: 60_000 })(Gateway);

class App {}
Module({ providers: [Gateway] })(App);

export async function start() {
  const app = await NestFactory.create(App, { logger: false });
  app.useWebSocketAdapter(new IoAdapter(app));
  await app.listen(0, '127.0.0.1');
  return { app, gateway: app.get(Gateway), port: app.getHttpServer().address().port };
}
