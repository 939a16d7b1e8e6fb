// The last connections of a core whose HTTP servers have stopped listening.
import type { NativeServer } from '../native/bindings';
import { statsOf } from '../native/stats';

/** How often the number of connections is checked. */
const DRAIN_MS = 50;

/**
 * The HTTP servers have stopped listening: calls `empty` when the last connection has ended, unless one listens `again`
 * by then. Until then the core keeps the process alive, as the connections of a Node server do. Polling sessions
 * without an open request count as ended: their clients can't come back, as with engine.io, which ends when its HTTP
 * server has emitted `close`.
 */
export function drained(native: NativeServer, again: () => boolean, empty: () => void): void {
  if (again()) return;
  if (statsOf(native.stats()).connections === 0) return empty();
  native.keepProcess(true);
  // Two checks in a row: a connection that becomes a WebSocket counts as neither for a moment.
  let silent = 0;
  const timer = setInterval(() => {
    silent = native.hearsClients() ? 0 : silent + 1;
    if (again()) native.keepProcess(false);
    else if (statsOf(native.stats()).connections > 0 && silent < 2) return;
    else empty();
    clearInterval(timer);
  }, DRAIN_MS);
  timer.unref();
}
