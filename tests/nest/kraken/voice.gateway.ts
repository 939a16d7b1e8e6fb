// Voice: a media server's webhooks say who is in a channel, and clients renew a lease.
import { Injectable } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WsException } from '@nestjs/websockets';
import { ClientEvents, ServerEvents, WebsocketService, rooms } from 'kraken-ws-native/nest';
import type { AuthenticatedSocket } from './auth.js';
import { KrakenGateway } from './gateway.js';
import { InChannel } from './payloads.js';

const LEASE_MS = 60_000;

@Injectable()
export class VoicePresence {
  private readonly leases = new Map<string, number>();

  constructor(private readonly websocketService: WebsocketService) {}

  joined(userId: string, channelId: string): void {
    this.leases.set(`${channelId} ${userId}`, Date.now() + LEASE_MS);
    this.websocketService.joinSocketsToRoom(rooms.user(userId), rooms.voice(channelId));
    this.tell(ServerEvents.VOICE_CHANNEL_USER_JOINED, userId, channelId);
  }

  left(userId: string, channelId: string): void {
    if (!this.leases.delete(`${channelId} ${userId}`)) return;
    this.tell(ServerEvents.VOICE_CHANNEL_USER_LEFT, userId, channelId);
    this.websocketService.removeSocketsFromRoom(rooms.user(userId), rooms.voice(channelId));
  }

  refresh(userId: string, channelId: string): boolean {
    const key = `${channelId} ${userId}`;
    if (!this.leases.has(key)) return false;
    this.leases.set(key, Date.now() + LEASE_MS);
    return true;
  }

  private tell(event: ServerEvents, userId: string, channelId: string): void {
    this.websocketService.sendToRoom(rooms.voice(channelId), event, { userId, channelId });
  }
}

@KrakenGateway()
export class VoiceGateway {
  constructor(private readonly voice: VoicePresence) {}

  @SubscribeMessage(ClientEvents.VOICE_PRESENCE_REFRESH)
  refresh(@ConnectedSocket() client: AuthenticatedSocket, @MessageBody() { channelId }: InChannel): boolean {
    if (this.voice.refresh(client.handshake.user.id, channelId)) return true;
    throw new WsException('not in this voice channel');
  }
}
