// Tells a client that its event was refused or failed.
import { Catch, Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { ArgumentsHost } from '@nestjs/common';
import { BaseWsExceptionFilter, WsException } from '@nestjs/websockets';
import { ServerEvents } from '../generated/kraken';

/** Options of `WsExceptionFilter`. */
export interface WsExceptionFilterOptions {
  /**
   * `error` (default): the application's `{ message, event }`. `exception`: what Nest's own filter sends,
   * `{ status, message, cause }`.
   */
  event?: 'error' | 'exception';
}

/** Where `WsExceptionFilter` gets its options from when Nest makes it. */
export const FILTER_OPTIONS = Symbol('WsExceptionFilterOptions');

/**
 * Answers what a handler, guard or pipe throws with an `error` event: `{ message, event }`, where `event` names
 * the event that failed. Only what a `WsException` says is shown to the client; everything else is logged and
 * answered with "Internal server error".
 *
 * ```ts
 * @UseFilters(new WsExceptionFilter())
 * ```
 */
@Injectable()
@Catch()
export class WsExceptionFilter extends BaseWsExceptionFilter {
  readonly #log = new Logger(WsExceptionFilter.name);
  readonly #event: 'error' | 'exception';

  constructor(@Optional() @Inject(FILTER_OPTIONS) options: WsExceptionFilterOptions = {}) {
    super();
    this.#event = options.event ?? 'error';
    if (this.#event !== 'error' && this.#event !== 'exception') {
      throw Object.assign(new Error(`event: expected "error" or "exception", got ${JSON.stringify(this.#event)}`), {
        code: 'ERR_KRAKEN_WS_OPTION',
      });
    }
  }

  override catch(exception: any, host: ArgumentsHost): void {
    if (this.#event === 'exception') {
      super.catch(exception, host);
      return;
    }
    const ws = host.switchToWs();
    const known = exception instanceof WsException;
    // Applications derive exceptions that know their event.
    const event = (known && (exception as { getPattern?(): string }).getPattern?.()) || ws.getPattern?.() || 'unknown';
    const message = known ? exception.getError() : 'Internal server error';
    if (!known) this.#log.error(`"${event}" failed: ${String(exception?.message ?? exception)}`, exception?.stack);
    ws.getClient().emit(ServerEvents.ERROR, { message, event });
  }
}
