// Lets clients in, and into rooms.

import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import type { OnGatewayConnection, OnGatewayInit } from '@nestjs/websockets';
import type { Server } from 'kraken-ws-native';
import { ClientEvents, WebsocketService, rooms } from 'kraken-ws-native/nest';
import { community } from '../../../chat/server/community.mjs';
import { BadInput, readRoom } from '../../../chat/server/input.mjs';
import { AuthService } from '../auth/auth.service.mjs';
import type { ChatSocket } from '../auth/auth.service.mjs';
import { ChatGateway } from './chat.gateway.mjs';
import { ChatService } from './chat.service.mjs';
import { FiguresService } from './figures.service.mjs';

// Own id, own user, the community and its channels need a dozen; the rest is presence rooms.
const ROOMS_PER_SOCKET = 200;

@ChatGateway()
export class RoomsGateway implements OnGatewayInit, OnGatewayConnection {
  constructor(
    private readonly auth: AuthService,
    private readonly chat: ChatService,
    private readonly figures: FiguresService,
    private readonly websocketService: WebsocketService,
  ) {}

  afterInit(server: Server): void {
    server.use(this.auth.authenticate);
    this.websocketService.setServer(server);
    this.figures.watch(server);
  }

  handleConnection(client: ChatSocket): void {
    void client.join(rooms.user(client.data.user.id));
  }

  @SubscribeMessage(ClientEvents.JOIN_ALL)
  joinAll(@ConnectedSocket() client: ChatSocket): object {
    const { user } = client.data;
    void client.join([rooms.community(community.id), ...community.channels.map(({ id }) => rooms.channel(id))]);
    return {
      me: user,
      community,
      online: this.chat.presence.online(),
      voice: this.chat.voice.all(),
      threads: this.chat.history.threadsOf(user.id),
    };
  }

  @SubscribeMessage(ClientEvents.JOIN_ROOM)
  joinRoom(@ConnectedSocket() client: ChatSocket, @MessageBody() wanted: unknown): object {
    const { room, kind, id } = readRoom(wanted);
    if (client.rooms.size >= ROOMS_PER_SOCKET) throw new BadInput('too many rooms joined');
    void client.join(room);
    return kind === 'channel' ? { room, messages: this.chat.history.ofChannel(id) } : { room };
  }

  @SubscribeMessage(ClientEvents.LEAVE_ROOM)
  leaveRoom(@ConnectedSocket() client: ChatSocket, @MessageBody() wanted: unknown): object {
    const { room } = readRoom(wanted);
    void client.leave(room);
    return { room };
  }
}
