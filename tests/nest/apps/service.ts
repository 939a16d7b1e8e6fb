// WebsocketModule in an application: set up in the root, used by a gateway, a service and a controller.
import { Controller, Get, Injectable, Module, UseFilters } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import { ConnectedSocket, MessageBody, OnGatewayInit, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { ClientEvents, ServerEvents, WebsocketModule, WebsocketService, WsExceptionFilter, rooms } from 'kraken-ws-native/nest';
import type { ClientToServerEvents, ServerToClientEvents } from 'kraken-ws-native/nest';
import type { Server, Socket } from 'socket.io';

@WebSocketGateway()
@UseFilters(WsExceptionFilter)
class MessagesGateway implements OnGatewayInit {
  constructor(private readonly websocketService: WebsocketService) {}

  afterInit(server: Server<ClientToServerEvents, ServerToClientEvents>): void {
    this.websocketService.setServer(server);
  }

  @SubscribeMessage(ClientEvents.JOIN_ROOM)
  async join(@ConnectedSocket() client: Socket, @MessageBody() id: string): Promise<string> {
    await client.join(rooms.channel(id));
    return rooms.channel(id);
  }

  @SubscribeMessage(ClientEvents.SEND_MESSAGE)
  send(@MessageBody() data: { channelId: string; content: string }): boolean {
    if (data.content === '') throw new WsException('empty');
    return this.websocketService.sendToRoom(rooms.channel(data.channelId), ServerEvents.NEW_MESSAGE, data);
  }
}

@Injectable()
class NotificationService {
  constructor(private readonly websocketService: WebsocketService) {}

  tellAll(text: string): boolean {
    return this.websocketService.sendToAll(ServerEvents.NOTIFICATION, { text });
  }
}

@Controller()
class NotifyController {
  constructor(private readonly notifications: NotificationService) {}

  @Get('notify')
  notify(): unknown {
    return { sent: this.notifications.tellAll('from REST') };
  }
}

@Module({ providers: [NotificationService], controllers: [NotifyController] })
class NotificationsModule {}

/** An application over one way of importing the module. */
export function serviceApp(websockets: Type<unknown> | DynamicModule): Type<unknown> {
  @Module({ imports: [websockets, NotificationsModule], providers: [MessagesGateway] })
  class AppModule {}
  return AppModule;
}

@Module({ providers: [{ provide: 'CONFIG', useValue: { event: 'exception' } }], exports: ['CONFIG'] })
class ConfigModule {}

export const variants: Record<string, () => DynamicModule> = {
  forRoot: () => WebsocketModule.forRoot({}),
  'forRoot, exceptions as Nest sends them': () => WebsocketModule.forRoot({ exceptionFilter: { event: 'exception' } }),
  'forRootAsync, exceptions as Nest sends them': () =>
    WebsocketModule.forRootAsync({
      imports: [ConfigModule],
      inject: ['CONFIG'],
      useFactory: (exceptionFilter: { event: 'exception' }) => ({ exceptionFilter }),
    }),
};
