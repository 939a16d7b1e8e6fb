// One session of the core under a server, from the start to the core's last event. A server that closes may start
// another session before that event.
import type { Server as HttpServer } from 'node:http';
import type { Fleet } from '../cluster/fleet';
import { drained } from '../engine/drain';
import { Attachment } from '../http/attachment';
import type { Gate } from '../http/attachment';
import { Listener, listenOn, listenerClosed, listenerStopped } from '../http/listener';
import type { NativeServer } from '../native/bindings';
import type { ServerOptions } from '../options/server-options';
import type { PendingBroadcast } from './broadcast-operator';
import type { Clients } from './clients';
import { Commands } from './commands';
import type { Away } from './recovery';
import type { ServerPump } from './server-pump';

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
  /** The core's own listeners. */
  readonly listeners: Listener[] = [];
  /** The core accepts no commands any more. */
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

  /**
   * Serves an HTTP server in front. `empty` is called when no server listens and the last connection has ended, `again`
   * when the server listens after the core began to close.
   */
  serve(server: HttpServer, options: Partial<ServerOptions>, gate: Gate, empty: () => void, again: () => void): void {
    const attachment = new Attachment(this.native, options, options.path as string, gate);
    attachment.listen(server, () => this.drain(empty), again);
    this.attachments.push(attachment);
  }

  /** Opens a listener of the core's own, on a port or a path. */
  listen(where: number | string, host: string | undefined, empty: () => void): Listener {
    const listener = new Listener(this.native, () => this.stopListening(empty));
    this.listeners.push(listener);
    listenOn(listener, where, host);
    return listener;
  }

  private stopListening(empty: () => void): void {
    if (this.closing) return;
    this.native.stopListening();
    for (const listener of this.listeners) listenerStopped(listener);
    this.drain(empty);
  }

  /**
   * An HTTP server stopped listening. If none listens, open connections stay, and `empty` is called after the last one.
   */
  private drain(empty: () => void): void {
    const listens = (of: { readonly listening: boolean }): boolean => of.listening;
    const again = (): boolean => this.attachments.some(listens) || this.listeners.some(listens);
    if (!this.closing) drained(this.native, again, () => this.closing || empty());
  }

  /** Begins to close the core. The process stays alive until its last event, also if nothing else keeps it. */
  close(): void {
    this.closing = true;
    this.native.keepProcess(true);
    for (const attachment of this.attachments) attachment.close();
    this.commands.close();
  }

  /** The core sent its last event. */
  ended(): void {
    this.native.end();
    this.away?.clear();
    this.fleet?.close();
    for (const attachment of this.attachments) attachment.closed();
    this.resolve();
    for (const listener of this.listeners) listenerClosed(listener);
  }
}
