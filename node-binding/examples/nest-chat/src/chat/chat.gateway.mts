// What the gateways have in common: they share one server and namespace, and answer alike.

import { Catch, Injectable, UseFilters, UseGuards, UseInterceptors, applyDecorators } from '@nestjs/common';
import type { ArgumentsHost, CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { WebSocketGateway, WsException } from '@nestjs/websockets';
import { WsExceptionFilter } from 'kraken-ws-native/nest';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import { BadInput } from '../../../chat/server/input.mjs';
import { ThrottleGuard } from './throttle.guard.mjs';

@Injectable()
class Acknowledge implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<object> {
    return next.handle().pipe(map((answer) => ({ ok: true, ...answer })));
  }
}

/** An `error` event as WsExceptionFilter sends it, and the acknowledgement if the client waits for one. */
@Catch()
class AnswerErrors extends WsExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    const error = exception instanceof BadInput ? new WsException(exception.message) : exception;
    super.catch(error, host);
    const acknowledge: unknown = host.getArgByIndex(2);
    if (typeof acknowledge !== 'function') return;
    acknowledge({ ok: false, error: error instanceof WsException ? error.message : 'Internal server error' });
  }
}

export const ChatGateway = (): ClassDecorator =>
  applyDecorators(
    // A chat message is 2000 characters at most, so nothing near socket.io's default of 1 MB is due.
    WebSocketGateway({ maxHttpBufferSize: 65_536 }),
    UseGuards(ThrottleGuard),
    UseInterceptors(Acknowledge),
    UseFilters(new AnswerErrors()),
  );
