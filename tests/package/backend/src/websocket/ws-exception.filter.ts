import { ArgumentsHost, Catch, Logger } from '@nestjs/common';
import { BaseWsExceptionFilter, WsException } from '@nestjs/websockets';
import { ServerEvents } from './events.enum/server-events.enum';

@Catch()
export class WsExceptionFilter extends BaseWsExceptionFilter {
  private readonly logger = new Logger(WsExceptionFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    const ws = host.switchToWs();
    const known = exception instanceof WsException;
    if (!known) this.logger.error(exception);
    ws.getClient().emit(ServerEvents.ERROR, {
      message: known ? exception.getError() : 'Internal server error',
      event: ws.getPattern(),
    });
  }
}
