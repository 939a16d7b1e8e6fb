// One life of the core under a server, from a start to its last event. A server that closes may start again before that.
import type { Attachment } from '../http/attachment';
import type { PendingBroadcast } from './broadcast-operator';
import type { Clients } from './client';
import type { Fleet } from '../cluster/fleet';
import { Commands } from './commands';
import type { EventPump } from './server-pump';
import type { Listener } from '../http/listener';
import type { NativeServer } from '../native/native';
import type { Away } from './recovery';

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

/** See above. */
export class Run {
  readonly commands: Commands;
  events!: EventPump;
  clients!: Clients;
  /** Broadcasts whose acknowledgements are awaited. */
  readonly broadcastAcks = new Map<number, PendingBroadcast>();
  /** HTTP servers in front. */
  readonly attachments: Attachment[] = [];
  /** The other nodes, in a fleet. */
  fleet: Fleet | undefined;
  /** The core's own. */
  readonly listeners: Listener[] = [];
  /** The core takes no commands any more. */
  closing = false;
  /** Resolves with the last event. */
  readonly over: Promise<void>;
  private resolve!: () => void;

  constructor(
    readonly native: NativeServer,
    readonly away: Away | undefined,
  ) {
    this.commands = new Commands(native);
    this.over = new Promise((resolve) => (this.resolve = resolve));
  }

  /** A server takes nobody any more: if none does, those that are there stay, and `empty` follows the last. */
  drain(empty: () => void): void {
    const listens = (of: { readonly listening: boolean }): boolean => of.listening;
    const again = (): boolean => this.attachments.some(listens) || this.listeners.some(listens);
    if (!this.closing) drained(this.native, again, () => this.closing || empty());
  }

  /** The core begins to close; whoever waits for the end keeps the process alive, also when nothing else does. */
  close(): void {
    this.closing = true;
    this.native.keepProcess(true);
    for (const attachment of this.attachments) attachment.close();
    this.commands.close();
  }

  /** The core's last event. */
  ended(): void {
    this.native.end();
    this.away?.clear();
    this.fleet?.close();
    for (const attachment of this.attachments) attachment.closed();
    this.resolve();
    for (const listener of this.listeners) listener._closed();
  }
}
