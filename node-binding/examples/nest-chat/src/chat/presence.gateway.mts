// Who is online, and for how long without a word.

import type { OnModuleDestroy } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import type { OnGatewayConnection, OnGatewayDisconnect } from '@nestjs/websockets';
import { ClientEvents, ServerEvents, WebsocketService, rooms } from 'kraken-ws-native/nest';
import { readFlag } from '../../../chat/server/input.mjs';
import type { ChatSocket, User } from '../auth/auth.service.mjs';
import { ChatGateway } from './chat.gateway.mjs';
import { ChatService } from './chat.service.mjs';

const SWEEP_MS = 5_000;

@ChatGateway()
export class PresenceGateway implements OnGatewayConnection, OnGatewayDisconnect, OnModuleDestroy {
  private readonly sweep: NodeJS.Timeout;

  constructor(private readonly chat: ChatService, private readonly websocketService: WebsocketService) {
    this.sweep = setInterval(() => {
      for (const user of this.chat.presence.expire()) this.announceOffline(user);
    }, SWEEP_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.sweep);
  }

  handleConnection(client: ChatSocket): void {
    const { user } = client.data;
    if (this.chat.presence.connect(user, client.id)) this.announceOnline(user);
  }

  @SubscribeMessage(ClientEvents.PRESENCE_ONLINE)
  online(@ConnectedSocket() client: ChatSocket, @MessageBody() payload?: { idle?: unknown }): void {
    const { user } = client.data;
    const idle = payload?.idle === undefined ? false : readFlag(payload, 'idle');
    if (!this.chat.presence.renew(user.id, client.id, idle)) return;
    this.announceOnline(user);
    const payloadOfUser = this.chat.presence.describe(user.id);
    this.websocketService.sendToRoom(rooms.presence(user.id), ServerEvents.USER_ONLINE, payloadOfUser);
  }

  handleDisconnect(client: ChatSocket): void {
    const { user } = client.data;
    if (this.chat.presence.disconnect(user.id, client.id)) this.announceOffline(user);
  }

  private announceOnline(user: User): void {
    this.websocketService.sendToAll(ServerEvents.USER_ONLINE, this.chat.presence.describe(user.id));
  }

  private announceOffline(user: User): void {
    this.websocketService.sendToAll(ServerEvents.USER_OFFLINE, { userId: user.id, name: user.name });
  }
}
