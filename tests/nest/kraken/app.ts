// A backend like Kraken's, with what its sockets do (reference/kraken-app.md) and data in memory.
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { WebsocketModule } from 'kraken-ws-native/nest';
import { start } from '../apps/start.js';
import type { Started } from '../apps/start.js';
import type { Door } from '../apps/door.js';
import { Auth, ConnectionLimit, ConnectionMiddlewares } from './auth.js';
import { Data } from './data.js';
import { WsAccessGuard, WsJwtGuard, WsThrottleGuard } from './guards.js';
import { MessagesGateway } from './messages.gateway.js';
import { LEASE_MS, PresenceGateway } from './presence.gateway.js';
import { krakenAdapter } from './redis-io.adapter.js';
import { RestController } from './rest.controller.js';
import { RoomsGateway } from './rooms.gateway.js';
import { VoiceGateway, VoicePresence } from './voice.gateway.js';

@Module({})
class AppModule {
  static with(leaseMs: number): DynamicModule {
    return {
      module: AppModule,
      imports: [WebsocketModule],
      controllers: [RestController],
      providers: [
        Data, Auth, ConnectionLimit, ConnectionMiddlewares, WsThrottleGuard, WsJwtGuard, WsAccessGuard,
        RoomsGateway, MessagesGateway, PresenceGateway, VoiceGateway, VoicePresence,
        { provide: LEASE_MS, useValue: leaseMs },
      ],
    };
  }
}

/** `leaseMs` is 60,000 in the application. */
export async function startKraken(door: Door, leaseMs = 60_000): Promise<Started & { forgetConnections(): void }> {
  const started = await start(AppModule.with(leaseMs), door, 'express', {}, (app) =>
    app.useWebSocketAdapter(krakenAdapter(door, app)),
  );
  return { ...started, forgetConnections: () => started.app.get(ConnectionLimit).forget() };
}
