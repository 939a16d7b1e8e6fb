// What all gateways of the application have in common.
import { Catch, Logger, UseFilters, UseGuards, UsePipes, applyDecorators } from '@nestjs/common';
import type { ArgumentsHost } from '@nestjs/common';
import { BaseWsExceptionFilter, WebSocketGateway } from '@nestjs/websockets';
import { WsAccessGuard, WsJwtGuard, WsThrottleGuard } from './guards.js';
import { validated } from './payloads.js';

@Catch()
export class LoggingExceptionFilter extends BaseWsExceptionFilter {
  private readonly logger = new Logger(LoggingExceptionFilter.name);

  override catch(exception: unknown, host: ArgumentsHost): void {
    this.logger.warn(`${host.switchToWs().getPattern()}: ${String(exception)}`);
    super.catch(exception, host);
  }
}

export const KrakenGateway = (): ClassDecorator =>
  applyDecorators(
    WebSocketGateway({
      cors: { origin: true, credentials: true },
      transports: ['websocket'],
      pingTimeout: 60_000,
      pingInterval: 25_000,
    }),
    UseFilters(new LoggingExceptionFilter()),
    UseGuards(WsThrottleGuard, WsJwtGuard, WsAccessGuard),
    UsePipes(validated),
  );
