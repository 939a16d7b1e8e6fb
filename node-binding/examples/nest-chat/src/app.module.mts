import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { randomBytes } from 'node:crypto';
import { WebsocketModule } from 'kraken-ws-native/nest';
import { AuthController } from './auth/auth.controller.mjs';
import { AuthService } from './auth/auth.service.mjs';
import { ChannelsController } from './chat/channels.controller.mjs';
import { FiguresService } from './chat/figures.service.mjs';
import { MessagesGateway } from './chat/messages.gateway.mjs';
import { PresenceGateway } from './chat/presence.gateway.mjs';
import { RoomsGateway } from './chat/rooms.gateway.mjs';
import { ChatService } from './chat/chat.service.mjs';
import { ThrottleGuard } from './chat/throttle.guard.mjs';
import { VoiceGateway } from './chat/voice.gateway.mjs';

@Module({
  imports: [
    WebsocketModule.forRoot({}),
    // Tokens are for this process only; a page that finds its token refused logs in again.
    JwtModule.register({ secret: randomBytes(32).toString('hex'), signOptions: { expiresIn: '1h' } }),
  ],
  controllers: [AuthController, ChannelsController],
  providers: [
    AuthService, ChatService, FiguresService, ThrottleGuard,
    RoomsGateway, MessagesGateway, PresenceGateway, VoiceGateway,
  ],
})
export class AppModule {}
