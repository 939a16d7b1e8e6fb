// The steps of docs/migrate.md, each as an application has it after that step.
import type { INestApplicationContext } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { ConnectedSocket, MessageBody, OnGatewayInit, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { KrakenIoAdapter, WebsocketModule, WebsocketService } from 'kraken-ws-native/nest';
import type { Server, Socket } from 'socket.io';
import { Adapter } from 'socket.io-adapter';

/** Of @socket.io/redis-adapter in an application, with its clients; rooms in memory here. */
const createAdapter = (_pubClient: unknown, _subClient: unknown): typeof Adapter => Adapter;
const pubClient = {};
const subClient = {};

/** Before, and in step 0: the application's own adapter. */
class StepZero extends IoAdapter {
  override createIOServer(port: number, options?: any): any {
    const server = super.createIOServer(port, options);
    server.adapter(createAdapter(pubClient, subClient));
    return server;
  }
}

class StepOne extends KrakenIoAdapter {
  constructor(app: INestApplicationContext) {
    super(app, { door: 'bridge' });
  }

  override createIOServer(port: number, options?: any): any {
    const server = super.createIOServer(port, options);
    server.adapter(createAdapter(pubClient, subClient));
    return server;
  }
}

class StepTwo extends KrakenIoAdapter {
  constructor(app: INestApplicationContext) {
    super(app, { door: process.env.KRAKEN_DOOR === 'server' ? 'server' : 'bridge' });
  }

  override createIOServer(port: number, options?: any): any {
    const server = super.createIOServer(port, options);
    server.adapter(createAdapter(pubClient, subClient));
    return server;
  }
}

class StepThree extends KrakenIoAdapter {
  override createIOServer(port: number, options?: any): any {
    const server = super.createIOServer(port, options);
    server.adapter(createAdapter(pubClient, subClient));
    return server;
  }
}

export const adapters = { StepZero, StepOne, StepTwo, StepThree };

@WebSocketGateway({ cors: { origin: true, credentials: true } })
class ChatGateway implements OnGatewayInit {
  constructor(private readonly websocketService: WebsocketService) {}

  afterInit(server: Server): void {
    this.websocketService.setServer(server);
  }

  @SubscribeMessage('joinRoom')
  async join(@ConnectedSocket() client: Socket, @MessageBody() room: string): Promise<boolean> {
    await client.join(room);
    return client.rooms.has(room);
  }

  @SubscribeMessage('sendMessage')
  send(@MessageBody() { room, content }: { room: string; content: string }): boolean {
    return this.websocketService.sendToRoom(room, 'newMessage', { content });
  }
}

@Module({ imports: [WebsocketModule], providers: [ChatGateway] })
export class MovingModule {}
