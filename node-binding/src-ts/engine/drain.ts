// The end of a core whose HTTP servers take nobody any more.
import type { NativeServer } from '../native/bindings';

/** How often a server that takes nobody any more looks whether the last has left. */
const DRAIN_MS = 50;

/**
 * The HTTP server in front takes nobody any more: calls `empty` when the last connection has left, unless it listens
 * `again` by then. Until one of both the core keeps the process alive, as the connections of a Node server do. Polling
 * sessions without a connection are over too: their clients can't come back, as with engine.io, which ends when its HTTP
 * server has emitted `close`.
 */
export function drained(native: NativeServer, again: () => boolean, empty: () => void): void {
  if (again()) return;
  if (native.stats().connections === 0) return empty();
  native.keepProcess(true);
  // Looked at twice: a connection that becomes a WebSocket counts as neither for a moment.
  let silent = 0;
  const timer = setInterval(() => {
    silent = native.hearsClients() ? 0 : silent + 1;
    if (again()) native.keepProcess(false);
    else if (native.stats().connections > 0 && silent < 2) return;
    else empty();
    clearInterval(timer);
  }, DRAIN_MS);
  timer.unref();
}
