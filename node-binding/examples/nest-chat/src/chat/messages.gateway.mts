// Messages in channels and between two, and who is typing.

import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import type { OnGatewayDisconnect } from '@nestjs/websockets';
import { ClientEvents, ServerEvents, WebsocketService, rooms } from 'kraken-ws-native/nest';
import { BadInput, readDirectMessage, readMessage, readTextChannel } from '../../../chat/server/input.mjs';
import type { ChatSocket } from '../auth/auth.service.mjs';
import { ChatGateway } from './chat.gateway.mjs';
import { ChatService } from './chat.service.mjs';

@ChatGateway()
export class MessagesGateway implements OnGatewayDisconnect {
  constructor(private readonly chat: ChatService, private readonly websocketService: WebsocketService) {}

  @SubscribeMessage(ClientEvents.SEND_MESSAGE)
  send(@ConnectedSocket() client: ChatSocket, @MessageBody() payload: unknown): object {
    const { channelId, content } = readMessage(payload);
    this.chat.setTyping(client, channelId, false);
    return this.chat.say(client.data.user, channelId, content);
  }

  @SubscribeMessage(ClientEvents.SEND_DM)
  sendDirect(@ConnectedSocket() client: ChatSocket, @MessageBody() payload: unknown): object {
    const { user } = client.data;
    const { to, content } = readDirectMessage(payload);
    const peer = this.chat.presence.find(to) ?? this.chat.history.peerOf(user.id, to);
    if (!peer) throw new BadInput(`to: nobody here is called "${to}"`);
    const message = this.chat.history.addDirectMessage(user, peer, content);
    for (const id of new Set([peer.id, user.id])) {
      this.websocketService.sendToRoom(rooms.user(id), ServerEvents.NEW_DM, message);
    }
    return { id: message.id, sentAt: message.sentAt };
  }

  @SubscribeMessage(ClientEvents.TYPING_START)
  typingStart(@ConnectedSocket() client: ChatSocket, @MessageBody() payload: unknown): void {
    this.chat.setTyping(client, readTextChannel(payload), true);
  }

  @SubscribeMessage(ClientEvents.TYPING_STOP)
  typingStop(@ConnectedSocket() client: ChatSocket, @MessageBody() payload: unknown): void {
    this.chat.setTyping(client, readTextChannel(payload), false);
  }

  handleDisconnect(client: ChatSocket): void {
    for (const channelId of [...client.data.typing]) this.chat.setTyping(client, channelId, false);
  }
}
