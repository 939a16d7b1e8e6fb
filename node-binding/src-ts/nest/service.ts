// The application's five calls as an injectable service.
import { Injectable, Logger } from '@nestjs/common';
import { Broadcaster } from '../kraken/broadcaster';

/**
 * Sends events from anywhere in the application. A gateway hands its server over in `afterInit`; the calls
 * answer `true`, or `false` with a logged error, and never throw.
 *
 * ```ts
 * afterInit(server: Server) {
 *   this.websocketService.setServer(server);
 * }
 * ```
 */
@Injectable()
export class WebsocketService extends Broadcaster {
  constructor() {
    const logger = new Logger(WebsocketService.name);
    super((message, error) => {
      if (error === undefined) logger.error(message);
      else logger.error(`${message} ${error instanceof Error ? error.message : String(error)}`, stackOf(error));
    });
  }
}

const stackOf = (error: unknown): string | undefined => (error instanceof Error ? error.stack : undefined);
