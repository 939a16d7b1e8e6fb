import { Injectable, Logger } from '@nestjs/common';
import type { Server } from 'socket.io';

@Injectable()
export class WebsocketService {
  private readonly logger = new Logger(WebsocketService.name);
  private server: Server | undefined;

  setServer(server: Server): void {
    this.server = server;
  }

  sendToRoom(room: string, event: string, payload: unknown): boolean {
    if (!this.server) {
      this.logger.error(`sendToRoom ${room}: no server`);
      return false;
    }
    return this.server.to(room).emit(event, payload);
  }

  sendToAll(event: string, payload: unknown): boolean {
    if (!this.server) {
      this.logger.error(`sendToAll ${event}: no server`);
      return false;
    }
    return this.server.emit(event, payload);
  }

  joinSocketsToRoom(source: string, rooms: string | string[]): boolean {
    this.server?.in(source).socketsJoin(rooms);
    return this.server !== undefined;
  }
}
