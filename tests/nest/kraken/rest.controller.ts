// The part of the REST API that touches sockets.
import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ServerEvents, WebsocketService, rooms } from 'kraken-ws-native/nest';
import { Auth } from './auth.js';
import { Data } from './data.js';
import { RoomsGateway } from './rooms.gateway.js';
import { VoicePresence } from './voice.gateway.js';

@Controller()
export class RestController {
  constructor(
    private readonly auth: Auth,
    private readonly data: Data,
    private readonly voice: VoicePresence,
    private readonly websocketService: WebsocketService,
    private readonly gateway: RoomsGateway,
  ) {}

  @Post('login')
  @HttpCode(200)
  login(@Body() { user }: { user: string }): unknown {
    return { token: this.auth.tokenFor(user) };
  }

  @Post('webhooks/voice')
  @HttpCode(200)
  webhook(@Body() { event, userId, channelId }: Record<string, string>): unknown {
    if (event === 'participant_joined') this.voice.joined(userId, channelId);
    else this.voice.left(userId, channelId);
    return {};
  }

  @Post('communities/:id/members/:userId')
  @HttpCode(200)
  add(@Param('id') id: string, @Param('userId') userId: string): unknown {
    this.data.members.get(id)!.add(userId);
    this.websocketService.joinSocketsToRoom(rooms.user(userId), [rooms.community(id), ...this.data.channelsOf(id)]);
    return {};
  }

  @Delete('communities/:id/members/:userId')
  remove(@Param('id') id: string, @Param('userId') userId: string): unknown {
    this.data.members.get(id)!.delete(userId);
    this.websocketService.sendToRoom(rooms.user(userId), ServerEvents.NOTIFICATION, { removedFrom: id });
    this.websocketService.removeSocketsFromRoom(rooms.user(userId), [rooms.community(id), ...this.data.channelsOf(id)]);
    return {};
  }

  @Delete('sessions/:userId')
  ban(@Param('userId') userId: string): unknown {
    this.gateway.server.in(rooms.user(userId)).disconnectSockets(true);
    return {};
  }

  @Get('rooms/:room')
  async inRoom(@Param('room') room: string): Promise<unknown> {
    const sockets = await this.gateway.server.in(room).fetchSockets();
    return sockets.map((socket) => (socket.handshake as unknown as { user?: { id: string } }).user?.id).toSorted();
  }
}
