// Who sits in which voice channel. No sound is carried.

import type { OnModuleDestroy } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import type { OnGatewayDisconnect } from '@nestjs/websockets';
import { ClientEvents, ServerEvents, rooms } from 'kraken-ws-native/nest';
import { BadInput, readFlag, readVoiceChannel } from '../../../chat/server/input.mjs';
import { describe } from '../../../chat/server/voice.mjs';
import type { ChatSocket } from '../auth/auth.service.mjs';
import { ChatGateway } from './chat.gateway.mjs';
import { ChatService } from './chat.service.mjs';

const SWEEP_MS = 5_000;

@ChatGateway()
export class VoiceGateway implements OnGatewayDisconnect, OnModuleDestroy {
  private readonly sweep: NodeJS.Timeout;

  constructor(private readonly chat: ChatService) {
    this.sweep = setInterval(() => {
      for (const member of this.chat.voice.expired()) this.chat.leaveVoice(member);
    }, SWEEP_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.sweep);
  }

  @SubscribeMessage(ClientEvents.VOICE_CHANNEL_JOIN)
  join(@ConnectedSocket() client: ChatSocket, @MessageBody() payload: { muted?: unknown }): object {
    const { user } = client.data;
    const channelId = readVoiceChannel(payload);
    const muted = payload.muted === undefined ? false : readFlag(payload, 'muted');
    const before = this.chat.voice.find(user.id);
    if (before) this.chat.leaveVoice(before);
    const member = this.chat.voice.join(user, client.id, channelId, muted);
    void client.join(rooms.voice(channelId));
    this.chat.announceVoice(ServerEvents.VOICE_CHANNEL_USER_JOINED, member);
    return describe(member);
  }

  @SubscribeMessage(ClientEvents.VOICE_CHANNEL_LEAVE)
  leave(@ConnectedSocket() client: ChatSocket): void {
    const member = this.memberOf(client);
    if (member) this.chat.leaveVoice(member);
  }

  @SubscribeMessage(ClientEvents.VOICE_STATE_UPDATE)
  update(@ConnectedSocket() client: ChatSocket, @MessageBody() payload: unknown): object {
    const member = this.requireMember(client);
    member.muted = readFlag(payload, 'muted');
    this.chat.voice.refresh(member);
    this.chat.announceVoice(ServerEvents.VOICE_CHANNEL_USER_UPDATED, member);
    return describe(member);
  }

  @SubscribeMessage(ClientEvents.VOICE_PRESENCE_REFRESH)
  refresh(@ConnectedSocket() client: ChatSocket): void {
    this.chat.voice.refresh(this.requireMember(client));
  }

  handleDisconnect(client: ChatSocket): void {
    this.leave(client);
  }

  private memberOf(client: ChatSocket): ReturnType<ChatService['voice']['join']> | undefined {
    return this.chat.voice.findBySocket(client.data.user.id, client.id);
  }

  private requireMember(client: ChatSocket): ReturnType<ChatService['voice']['join']> {
    const member = this.memberOf(client);
    if (!member) throw new BadInput('not in a voice channel');
    return member;
  }
}
