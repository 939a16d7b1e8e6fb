// What runs before each message: throttle, authentication, access by the payload's ids.
import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import type { AuthenticatedSocket } from './auth.js';
import { Data } from './data.js';

const LIMIT = 50;
const WINDOW_MS = 10_000;

@Injectable()
export class WsThrottleGuard implements CanActivate {
  private readonly windows = new WeakMap<AuthenticatedSocket, { until: number; count: number }>();

  canActivate(context: ExecutionContext): boolean {
    const client = context.switchToWs().getClient<AuthenticatedSocket>();
    const now = Date.now();
    let window = this.windows.get(client);
    if (!window || window.until <= now) this.windows.set(client, (window = { until: now + WINDOW_MS, count: 0 }));
    window.count += 1;
    if (window.count > LIMIT) throw new WsException('Too many requests');
    return true;
  }
}

@Injectable()
export class WsJwtGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToWs().getClient<AuthenticatedSocket>().handshake.user !== undefined;
  }
}

@Injectable()
export class WsAccessGuard implements CanActivate {
  constructor(private readonly data: Data) {}

  canActivate(context: ExecutionContext): boolean {
    const { user } = context.switchToWs().getClient<AuthenticatedSocket>().handshake;
    const payload: unknown = context.switchToWs().getData();
    const { channelId, messageId } = (typeof payload === 'string' ? { channelId: payload } : (payload ?? {})) as {
      channelId?: unknown;
      messageId?: unknown;
    };
    if (typeof channelId === 'string' && !this.data.isMember(user.id, channelId)) return false;
    return typeof messageId !== 'string' || this.data.mayRemove(user.id, messageId);
  }
}
