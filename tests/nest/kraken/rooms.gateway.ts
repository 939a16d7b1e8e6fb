// Who hears what: rooms of users, communities and channels. Channels are rooms by their plain ids.
import { ConnectedSocket, MessageBody, OnGatewayConnection, OnGatewayInit, SubscribeMessage, WebSocketServer } from '@nestjs/websockets';
import { ClientEvents, WebsocketService, rooms } from 'kraken-ws-native/nest';
import type { Server } from 'socket.io';
import { ConnectionMiddlewares } from './auth.js';
import type { AuthenticatedSocket } from './auth.js';
import { Data } from './data.js';
import { KrakenGateway } from './gateway.js';

@KrakenGateway()
export class RoomsGateway implements OnGatewayInit, OnGatewayConnection {
  @WebSocketServer()
  server!: Server;

  constructor(
    private readonly data: Data,
    private readonly websocketService: WebsocketService,
    private readonly middlewares: ConnectionMiddlewares,
  ) {}

  afterInit(server: Server): void {
    this.middlewares.install(server);
    this.websocketService.setServer(server);
  }

  async handleConnection(client: AuthenticatedSocket): Promise<void> {
    await client.join(rooms.user(client.handshake.user.id));
  }

  @SubscribeMessage(ClientEvents.JOIN_ALL)
  async joinAll(@ConnectedSocket() client: AuthenticatedSocket): Promise<string[]> {
    for (const communityId of this.data.communitiesOf(client.handshake.user.id)) {
      await client.join([rooms.community(communityId), ...this.data.channelsOf(communityId)]);
    }
    return [...client.rooms].filter((room) => room !== client.id).toSorted();
  }

  @SubscribeMessage(ClientEvents.JOIN_ROOM)
  async joinRoom(@ConnectedSocket() client: AuthenticatedSocket, @MessageBody() channelId: string): Promise<boolean> {
    await client.join(channelId);
    return client.rooms.has(channelId);
  }

  @SubscribeMessage(ClientEvents.LEAVE_ROOM)
  async leaveRoom(@ConnectedSocket() client: AuthenticatedSocket, @MessageBody() channelId: string): Promise<boolean> {
    await client.leave(channelId);
    return !client.rooms.has(channelId);
  }
}
