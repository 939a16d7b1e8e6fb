import { Injectable } from '@nestjs/common';
import { ServerEvents } from '../websocket/events.enum/server-events.enum';
import { WebsocketService } from '../websocket/websocket.service';

@Injectable()
export class NotificationService {
  constructor(private readonly websocketService: WebsocketService) {}

  /** Tells one user on all devices. */
  tell(userId: string, text: string): boolean {
    return this.websocketService.sendToRoom(`user:${userId}`, ServerEvents.NOTIFICATION, { text, at: new Date() });
  }
}
