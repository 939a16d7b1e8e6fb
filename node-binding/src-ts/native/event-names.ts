// Names of events that the protocol keeps to itself.
import { coded } from './error';

/** Names that can't be emitted to a client. */
export const RESERVED_EVENTS: ReadonlySet<string | symbol> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

/** Throws what socket.io throws for a reserved name. */
export function refuseReserved(name: unknown): void {
  if (RESERVED_EVENTS.has(name as string)) {
    throw coded('ERR_KRAKEN_WS_NAME', new Error(`"${String(name)}" is a reserved event name`));
  }
}
