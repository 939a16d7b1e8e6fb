// The parent of namespaces whose names match a pattern. A child is made when a client first asks for its name, with the
// middlewares and connection listeners of the parent.
import { coded } from '../native/error';
import type { RemoteSocket } from './broadcast-operator';
import { Namespace } from './namespace';
import type { Server } from './server';
import type { DefaultEventsMap, EventNamesWithoutAck, EventParams, EventsMap } from './typed-events';

let count = 0;

/** Holds the namespaces that were made from one pattern. */
export class ParentNamespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  /** The namespaces made so far. */
  readonly children: Set<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> = new Set();

  /** @internal */
  constructor(server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) {
    super(server, `/_${count++}`);
  }

  /** Sends an event to everybody in all children. */
  override emit<Ev extends EventNamesWithoutAck<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    for (const child of this.children) child.emit(ev, ...args);
    return true;
  }

  /** Not possible: which children exist differs from server to server. */
  override fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error('fetchSockets() is not supported on parent namespaces'));
  }

  /** @internal */
  override get _standsFor(): Iterable<Namespace<any, any, any, any>> {
    return this.children as Set<Namespace<any, any, any, any>>;
  }

  /** Makes, or finds, the child of that name. @internal */
  createChild(name: string): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const child = new ChildNamespace(this, name);
    // A child that is removed with its last socket needs the objects of its sockets.
    child._quiet = !this.server._opts.cleanupEmptyChildNamespaces;
    for (const fn of this._fns) child.use(fn);
    for (const event of ['connect', 'connection'] as const) {
      for (const listener of this.listeners(event)) child.on(event, listener as any);
    }
    this.children.add(child);
    this.server._register(child as Namespace<any, any, any, any>);
    return child;
  }
}

/** A child; with `cleanupEmptyChildNamespaces` it is removed with its last socket. */
class ChildNamespace<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> extends Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  constructor(
    private readonly parent: ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    name: string,
  ) {
    super(parent.server, name);
  }

  override _remove(socket: any): void {
    super._remove(socket);
    const empty = this._sockets.size === 0 && this._preConnectSockets.size === 0;
    if (empty && this.server._opts.cleanupEmptyChildNamespaces) {
      this.parent.children.delete(this);
      this.server._unregister(this as Namespace<any, any, any, any>);
    }
  }
}
