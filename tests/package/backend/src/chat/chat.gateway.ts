import { UseFilters } from '@nestjs/common';
import {
  ConnectedSocket, MessageBody, OnGatewayConnection, OnGatewayInit, SubscribeMessage, WebSocketGateway, WebSocketServer, WsException,
} from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { ClientEvents } from '../websocket/events.enum/client-events.enum';
import { ServerEvents } from '../websocket/events.enum/server-events.enum';
import { WebsocketService } from '../websocket/websocket.service';
import { WsExceptionFilter } from '../websocket/ws-exception.filter';
import { NotificationService } from './notification.service';

type WithUser = Socket & { handshake: { user?: string } };

@UseFilters(new WsExceptionFilter())
@WebSocketGateway({ cors: { origin: true, credentials: true }, pingTimeout: 60000, pingInterval: 25000 })
export class ChatGateway implements OnGatewayInit, OnGatewayConnection {
  @WebSocketServer() server: Server;

  constructor(
    private readonly websocketService: WebsocketService,
    private readonly notifications: NotificationService,
  ) {}

  afterInit(server: Server): void {
    this.websocketService.setServer(server);
    server.use((socket: WithUser, next) => {
      const token: string | undefined = socket.handshake.auth.token ?? socket.handshake.headers.authorization;
      if (!token) return next(new Error('AUTH_FAILED'));
      socket.handshake.user = token.replace(/^Bearer /, '');
      next();
    });
  }

  async handleConnection(client: WithUser): Promise<void> {
    await client.join(`user:${client.handshake.user}`);
  }

  @SubscribeMessage(ClientEvents.JOIN_ROOM)
  async join(@ConnectedSocket() client: WithUser, @MessageBody() room: string): Promise<number> {
    if (room.startsWith('user:')) throw new WsException('not yours');
    await client.join(room);
    // Of the whole fleet.
    return (await this.server.in(room).fetchSockets()).length;
  }

  @SubscribeMessage(ClientEvents.SEND_MESSAGE)
  send(@ConnectedSocket() client: WithUser, @MessageBody() message: { channelId: string; content: string }): boolean {
    this.notifications.tell('ada', message.content);
    return this.websocketService.sendToRoom(`channel:${message.channelId}`, ServerEvents.NEW_MESSAGE, {
      ...message, from: client.handshake.user,
    });
  }

  @SubscribeMessage(ClientEvents.TYPING_START)
  typing(@ConnectedSocket() client: WithUser, @MessageBody() channelId: string): void {
    client.to(`channel:${channelId}`).emit(ServerEvents.USER_TYPING, { userId: client.handshake.user });
  }
}
