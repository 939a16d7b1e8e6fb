import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { ClientEvents, ServerEvents, WebsocketService, rooms } from 'kraken-ws-native/nest';
import type { AuthenticatedSocket } from './auth.js';
import { Data } from './data.js';
import { KrakenGateway } from './gateway.js';
import { InChannel, RemoveMessage, SendDirectMessage, SendMessage } from './payloads.js';

@KrakenGateway()
export class MessagesGateway {
  constructor(private readonly data: Data, private readonly websocketService: WebsocketService) {}

  @SubscribeMessage(ClientEvents.SEND_MESSAGE)
  send(@ConnectedSocket() client: AuthenticatedSocket, @MessageBody() { channelId, content }: SendMessage): string {
    const message = this.data.addMessage(channelId, client.handshake.user.id, content);
    this.websocketService.sendToRoom(channelId, ServerEvents.NEW_MESSAGE, { message });
    return message.id;
  }

  /** Only authors and moderators get this far: the guard knows the message by its id. */
  @SubscribeMessage('removeMessage')
  remove(@MessageBody() { messageId }: RemoveMessage): boolean {
    const { channelId } = this.data.messages.get(messageId)!;
    this.data.messages.delete(messageId);
    return this.websocketService.sendToRoom(channelId, ServerEvents.DELETE_MESSAGE, { messageId, channelId });
  }

  @SubscribeMessage(ClientEvents.SEND_DM)
  sendDirect(@ConnectedSocket() client: AuthenticatedSocket, @MessageBody() { to, content }: SendDirectMessage): string {
    const { id } = client.handshake.user;
    const room = rooms.dm([id, to].toSorted().join('-'));
    for (const userId of new Set([id, to])) this.websocketService.joinSocketsToRoom(rooms.user(userId), room);
    this.websocketService.sendToRoom(room, ServerEvents.NEW_DM, { from: id, to, content });
    return room;
  }

  @SubscribeMessage(ClientEvents.TYPING_START)
  typingStart(@ConnectedSocket() client: AuthenticatedSocket, @MessageBody() { channelId }: InChannel): void {
    this.typing(client, channelId, true);
  }

  @SubscribeMessage(ClientEvents.TYPING_STOP)
  typingStop(@ConnectedSocket() client: AuthenticatedSocket, @MessageBody() { channelId }: InChannel): void {
    this.typing(client, channelId, false);
  }

  private typing(client: AuthenticatedSocket, channelId: string, isTyping: boolean): void {
    const { id } = client.handshake.user;
    client.to(channelId).emit(ServerEvents.USER_TYPING, { userId: id, channelId, isTyping });
  }
}
