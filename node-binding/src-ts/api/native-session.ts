// One life of the core under a server, from a start to its last event. A server that closes may start again before that.
import type { Attachment } from '../http/attachment';
import type { PendingBroadcast } from './broadcast-operator';
import type { Clients } from './clients';
import type { Fleet } from '../cluster/fleet';
import { Commands } from './commands';
import type { ServerPump } from './server-pump';
import { listenerClosed } from '../http/listener';
import type { Listener } from '../http/listener';
import { drained } from '../engine/drain';
import type { NativeServer } from '../native/bindings';
import type { Away } from './recovery';

/** See above. */
export class NativeSession {
  readonly commands: Commands;
  pump!: ServerPump;
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
    for (const listener of this.listeners) listenerClosed(listener);
  }
}
