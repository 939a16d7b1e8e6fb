// Who is online: once with the first connection, and no more when the last is gone or its lease has run out.
import { Inject } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { ConnectedSocket, MessageBody, OnGatewayDisconnect, SubscribeMessage, WebSocketServer } from '@nestjs/websockets';
import { ClientEvents, ServerEvents, WebsocketService } from 'kraken-ws-native/nest';
import type { Server } from 'socket.io';
import type { AuthenticatedSocket } from './auth.js';
import { KrakenGateway } from './gateway.js';
import { PresenceOnline } from './payloads.js';

export const LEASE_MS = Symbol('LEASE_MS');

@KrakenGateway()
export class PresenceGateway implements OnGatewayDisconnect, OnModuleDestroy {
  @WebSocketServer()
  server!: Server;

  /** Connections of users who are online, and when each one's lease ends. */
  private readonly leases = new Map<string, Map<string, number>>();
  private readonly sweep: NodeJS.Timeout;

  constructor(private readonly websocketService: WebsocketService, @Inject(LEASE_MS) private readonly leaseMs: number) {
    this.sweep = setInterval(() => this.expire(Date.now()), leaseMs / 4);
  }

  onModuleDestroy(): void {
    clearInterval(this.sweep);
  }

  @SubscribeMessage(ClientEvents.PRESENCE_ONLINE)
  online(@ConnectedSocket() client: AuthenticatedSocket, @MessageBody() { idle = false }: PresenceOnline): unknown {
    const { id } = client.handshake.user;
    let connections = this.leases.get(id);
    if (!connections) {
      this.leases.set(id, (connections = new Map()));
      this.websocketService.sendToAll(ServerEvents.USER_ONLINE, { userId: id, idle });
    }
    connections.set(client.id, Date.now() + this.leaseMs);
    return { online: [...this.leases.keys()].toSorted() };
  }

  handleDisconnect(client: AuthenticatedSocket): void {
    this.forget(client.handshake.user.id, client.id);
  }

  private expire(now: number): void {
    for (const [userId, connections] of this.leases) {
      for (const [socketId, ends] of connections) if (ends <= now) this.forget(userId, socketId);
    }
  }

  private forget(userId: string, socketId: string): void {
    const connections = this.leases.get(userId);
    if (!connections?.delete(socketId) || connections.size > 0) return;
    this.leases.delete(userId);
    this.websocketService.sendToAll(ServerEvents.USER_OFFLINE, { userId });
  }
}
