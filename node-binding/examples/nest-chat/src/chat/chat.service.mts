// The chat's state, which is the plain example's, and what several gateways say about it.

import { Injectable } from '@nestjs/common';
import { ServerEvents, WebsocketService, rooms } from 'kraken-ws-native/nest';
import { History } from '../../../chat/server/history.mjs';
import { Presence } from '../../../chat/server/presence.mjs';
import { Voice, describe } from '../../../chat/server/voice.mjs';
import type { ChatSocket, User } from '../auth/auth.service.mjs';

type VoiceMember = ReturnType<Voice['join']>;

@Injectable()
export class ChatService {
  readonly history = new History();
  readonly presence = new Presence();
  readonly voice = new Voice();

  constructor(private readonly websocketService: WebsocketService) {}

  say(author: User, channelId: string, content: string): { id: string; sentAt: string } {
    const message = this.history.addMessage(author, channelId, content);
    this.websocketService.sendToRoom(rooms.channel(channelId), ServerEvents.NEW_MESSAGE, message);
    return { id: message.id, sentAt: message.sentAt };
  }

  setTyping(client: ChatSocket, channelId: string, isTyping: boolean): void {
    const { user, typing } = client.data;
    if (isTyping) typing.add(channelId);
    else if (!typing.delete(channelId)) return;
    const payload = { channelId, userId: user.id, name: user.name, isTyping };
    client.to(rooms.channel(channelId)).emit(ServerEvents.USER_TYPING, payload);
  }

  // Members and onlookers are in different rooms; who is in both sees it twice, which changes nothing.
  announceVoice(event: ServerEvents, member: VoiceMember): void {
    const payload = describe(member);
    this.websocketService.sendToRoom(rooms.voice(member.channelId), event, payload);
    this.websocketService.sendToRoom(rooms.channel(member.channelId), event, payload);
  }

  leaveVoice(member: VoiceMember): void {
    this.voice.remove(member);
    this.announceVoice(ServerEvents.VOICE_CHANNEL_USER_LEFT, member);
    this.websocketService.removeSocketsFromRoom(member.socketId, rooms.voice(member.channelId));
  }
}
