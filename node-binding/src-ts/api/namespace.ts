// A namespace: its sockets, its middlewares, and messages to all or some of them.
import { tick } from '../native/clock';
import { coded } from '../native/error';
import { encode, responsesOf } from '../native/payload';
import { Adapter } from './adapter';
import { BroadcastOperator } from './broadcast-operator';
import type { RemoteSocket } from './broadcast-operator';
import type { Commands } from './commands';
import type { Server } from './server';
import { Socket } from './socket';
import type { Room, SocketId } from './socket-types';
import { StrictEventEmitter, emitLocally } from './strict-emitter';
import type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  RemoveAcknowledgements,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
} from './typed-events';

/** An error for `next`: message and data reach the client as `connect_error`. */
export interface ExtendedError extends Error {
  data?: any;
}

/** Events of a namespace. */
export interface NamespaceReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> {
  connect: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  connection: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  /** Not in socket.io: with `connectionStateRecovery`, a disconnected client can no longer recover its socket. */
  session_end: (session: EndedSession<SocketData>) => void;
}

/** Events of a server. */
export interface ServerReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> extends NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  new_namespace: (namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
}

/**
 * Why a session ended: the client stayed away too long, `maxRecoveryBytes` was reached, or the server disconnected the
 * client while it was away.
 */
export type SessionEndReason = 'timeout' | 'limit' | 'disconnect';

/** The state of a socket whose client can no longer recover it. */
export interface EndedSession<SocketData = any> {
  /** The socket's id. */
  id: SocketId;
  /** The rooms that it was in. */
  rooms: Set<Room>;
  /** Its `data`. */
  data: SocketData;
  reason: SessionEndReason;
}

type ServerSideAck = (err: Error | null, responses: unknown[]) => void;

/** Names that `serverSideEmit` refuses. */
const RESERVED: ReadonlySet<unknown> = new Set(['connect', 'connection', 'new_namespace', 'session_end']);

type NamespaceEventNames<L extends EventsMap, E extends EventsMap, S extends EventsMap, D> = ReservedOrUserEventNames<
  NamespaceReservedEventsMap<L, E, S, D>,
  S
>;
type NamespaceListener<
  L extends EventsMap,
  E extends EventsMap,
  S extends EventsMap,
  D,
  Ev extends NamespaceEventNames<L, E, S, D>,
> = ReservedOrUserListener<NamespaceReservedEventsMap<L, E, S, D>, S, Ev>;

/** A middleware of a namespace. */
export type NamespaceMiddleware<L extends EventsMap, E extends EventsMap, S extends EventsMap, D> = (
  socket: Socket<L, E, S, D>,
  next: (err?: ExtendedError) => void,
) => void;

/** A communication channel over the clients' one connection. */
export class Namespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends StrictEventEmitter<
  ServerSideEvents,
  RemoveAcknowledgements<EmitEvents>,
  NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
> {
  /** Name with the leading `/`. */
  readonly name: string;
  /** The server. */
  readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;

  /** The sockets that have an object. @internal */
  readonly _sockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> = new Map();
  private readonly mirror: Adapter;
  /** The sockets of this namespace were never read, so they have no objects. @internal */
  _quiet = true;
  /** Sockets whose middlewares have not finished. @internal */
  readonly _preConnectSockets: Map<SocketId, Socket<any, any, any, any>> = new Map();
  /** @internal */
  _fns: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>[] = [];
  /** The core's commands, while the server runs. @internal */
  _native: Commands | undefined = undefined;
  /** The native number of this namespace. @internal */
  _number = -1;
  /** How many sockets have outgoing catch-all listeners: broadcasts call those. @internal */
  _outgoingWatchers = 0;

  /** The children of a parent namespace: its messages go to all of them. @internal */
  get _standsFor(): Iterable<Namespace<any, any, any, any>> | undefined {
    return undefined;
  }

  /** @internal */
  constructor(server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>, name: string) {
    super();
    this.server = server;
    this.name = name;
    this.mirror = new Adapter(this as Namespace<any, any, any, any>);
  }

  /** Connected sockets by id. */
  get sockets(): Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> {
    if (this._quiet) this._look();
    return this._sockets;
  }

  /** Rooms, and their events `create-room`, `delete-room`, `join-room`, `leave-room`. */
  get adapter(): Adapter {
    if (this._quiet) this._look();
    return this.mirror;
  }

  /** Makes objects of the sockets; each later socket gets one too. @internal */
  _look(): void {
    if (!this._quiet) return;
    this._quiet = false;
    this.server._lookAt(this as Namespace<any, any, any, any>);
  }

  override on<Ev extends NamespaceEventNames<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>(
    ev: Ev,
    listener: NamespaceListener<ListenEvents, EmitEvents, ServerSideEvents, SocketData, Ev>,
  ): this {
    this._look();
    return super.on(ev, listener as any);
  }

  override addListener(ev: string | symbol, listener: (...args: any[]) => void): this {
    this._look();
    return super.addListener(ev, listener);
  }

  override prependListener(ev: string | symbol, listener: (...args: any[]) => void): this {
    this._look();
    return super.prependListener(ev, listener);
  }

  /** Adds a middleware that decides about each new socket. */
  use(fn: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this {
    this._look();
    this._fns.push(fn);
    return this;
  }

  private operator(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return new BroadcastOperator(this as Namespace<any, any, any, any>);
  }

  /** Addresses a room, or several. */
  to(room: Room | Room[]): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.operator().to(room);
  }

  /** Alias of `to`. */
  in(room: Room | Room[]): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.operator().to(room);
  }

  /** Addresses everybody except the members of a room, or of several. */
  except(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.operator().except(room);
  }

  /** Whether the next message may be compressed. */
  compress(
    compress: boolean,
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.operator().compress(compress);
  }

  /** The next message may be dropped for clients that can't take it right now. */
  get volatile(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.operator().volatile;
  }

  /** Clients of this server only. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.operator().local;
  }

  /** How long acknowledgements of the next message may take, in milliseconds. */
  timeout(
    timeout: number,
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.operator().timeout(timeout);
  }

  /** Sends an event to everybody in the namespace. */
  override emit<Ev extends EventNamesWithoutAck<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return this.operator().emit(ev as any, ...(args as any));
  }

  /** Sends an event to everybody and resolves with their acknowledgements. */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<any> {
    return this.operator().emitWithAck(ev as any, ...(args as any));
  }

  /** Sends a `message` event. */
  send(...args: EventParams<EmitEvents, 'message'>): this {
    this.emit('message' as any, ...(args as any));
    return this;
  }

  /** Alias of `send`. */
  write(...args: EventParams<EmitEvents, 'message'>): this {
    return this.send(...args);
  }

  /** Sends an event to the other servers of the cluster; without a cluster there are none. */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(
    ev: Ev,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Ev>
  ): boolean {
    if (RESERVED.has(ev)) throw coded('ERR_KRAKEN_WS_NAME', new Error(`"${String(ev)}" is a reserved event name`));
    const data: unknown[] = [ev, ...args];
    const ack = typeof data[data.length - 1] === 'function' ? (data.pop() as ServerSideAck) : undefined;
    const { _native: native, _number: number } = this;
    if (!native || !this.server._fleet) {
      if (ack) tick(() => ack(null, []));
      return true;
    }
    const { text, buffers } = encode(data);
    if (!ack) {
      native.serverSideEmit(number, text, buffers);
      return true;
    }
    this.server._fleet
      .ask(
        native,
        (commands, timeout) => commands.serverSideEmitWithAck(number, text, timeout, buffers),
        (payload, take) => responsesOf(payload, 2, take),
      )
      .then(
        ({ answers, missing, missingNodes }) => {
          const came = answers.length;
          const message = `timeout reached: only ${came} responses received out of ${came + missing}`;
          const err = missing > 0 ? Object.assign(new Error(message), { missing, missingNodes }) : null;
          tick(() => ack(err, answers));
        },
        (err) => tick(() => ack(err, [])),
      );
    return true;
  }

  /**
   * A `serverSideEmit` of another node. It is input: reserved names, and `error` without a listener, are ignored.
   * @internal
   */
  _onServerSideEmit(data: unknown[]): void {
    const [ev] = data;
    if (typeof ev !== 'string' || RESERVED.has(ev) || (ev === 'error' && this.listenerCount('error') === 0)) return;
    emitLocally(this, data);
  }

  /**
   * The core has moved these sockets for another node's `socketsJoin` or `socketsLeave`; the mirror of rooms follows.
   * @internal
   */
  _moved(joined: boolean, room: Room, sockets: (Socket<any, any, any, any> | undefined)[]): void {
    for (const socket of sockets) {
      if (!socket?.connected) continue;
      if (joined) socket._mirrorJoin([room]);
      else socket._mirrorLeave(room);
    }
  }

  /** The core has forgotten the session of a client that was away. @internal */
  _sessionEnd(session: EndedSession): void {
    emitLocally(this, ['session_end', session]);
  }

  /** Emits a change of the fleet on the adapter. @internal */
  _tellAdapter(ev: string, detail?: unknown): void {
    this.mirror.emit(ev, detail);
  }

  /** Like `serverSideEmit`, resolving with one response per other server. */
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSideEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<ServerSideEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Ev>>>[]> {
    return new Promise((resolve, reject) => {
      const done = (err: Error | null, responses: any) =>
        err ? reject(Object.assign(err, { responses })) : resolve(responses);
      this.serverSideEmit(ev, ...([...args, done] as any));
    });
  }

  /** Ids of all sockets. Deprecated in socket.io: use `fetchSockets`. */
  allSockets(): Promise<Set<SocketId>> {
    return this.operator().allSockets();
  }

  /** All sockets. */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    return this.operator().fetchSockets() as Promise<RemoteSocket<any, SocketData>[]>;
  }

  /** Puts all sockets into a room, or several. */
  socketsJoin(room: Room | Room[]): void {
    this.operator().socketsJoin(room);
  }

  /** Takes all sockets out of a room, or several. */
  socketsLeave(room: Room | Room[]): void {
    this.operator().socketsLeave(room);
  }

  /** Ends all sockets; with `close` their connections too. */
  disconnectSockets(close = false): void {
    this.operator().disconnectSockets(close);
  }

  /**
   * A new socket: the middlewares run, then it is accepted or refused. Unless `pending`, it is accepted already.
   * @internal
   */
  _add(socket: Socket<any, any, any, any>, pending: boolean): void {
    if (this._fns.length === 0 || !pending) return this.admit(socket);
    this._preConnectSockets.set(socket.id, socket);
    const chain = [...this._fns];
    const step = (at: number): void => {
      chain[at](socket, (err?: ExtendedError) => {
        if (!err && at + 1 < chain.length) return step(at + 1);
        tick(() => this.decided(socket, err));
      });
    };
    step(0);
  }

  private decided(socket: Socket<any, any, any, any>, err: ExtendedError | undefined): void {
    if (socket._gone || socket.connected || !this._native) return;
    if (!err) return this.admit(socket);
    // Some applications call `next('text')`: a string has no message.
    this._native.reject(socket._handle, JSON.stringify({ message: err.message, data: err.data }));
    socket._cleanup();
  }

  private admit(socket: Socket<any, any, any, any>): void {
    this._preConnectSockets.delete(socket.id);
    this._sockets.set(socket.id, socket);
    socket._accept();
    emitLocally(this, ['connect', socket]);
    emitLocally(this, ['connection', socket]);
  }

  /** @internal */
  _remove(socket: Socket<any, any, any, any>): void {
    // A new socket may have the same id already.
    for (const map of [this._sockets, this._preConnectSockets]) {
      if (map.get(socket.id) === socket) map.delete(socket.id);
    }
  }
}
