// One client in one namespace. The object is small: what most sockets never use (handshake, rooms, data, acks,
// middlewares) is made on first use.
import type { IncomingMessage } from 'node:http';
import { EmitFlag } from '../generated/wire';
import { asSeen, parseHandshake } from '../http/request';
import type { EngineRequest } from '../http/request';
import { tick } from '../native/clock';
import { refuseReserved } from '../native/event-names';
import { encode } from '../native/payload';
import { textOf } from '../native/room-name';
import { awaited } from './acks';
import type { Ack, AwaitedAck } from './acks';
import { BroadcastOperator } from './broadcast-operator';
import { CatchAllEmitter } from './catch-all';
import type { Client } from './client';
import type { Clients } from './clients';
import type { Connection } from './connection';
import type { Packet } from './encoder';
import type { Namespace } from './namespace';
import { Away } from './recovery';
import { SOCKET } from './socket-types';
import type { DisconnectReason, Event, Handshake, Room, SocketId, SocketReservedEventsMap } from './socket-types';
import { emitLocally } from './strict-emitter';
import type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
} from './typed-events';

/** An event that was emitted before the client was accepted. */
interface WaitingEmit {
  send: () => void;
  ack: AwaitedAck | undefined;
}

/** An incoming packet, in socket.io's form: packages of others read it. */
export interface IncomingPacket {
  type: number;
  nsp: string;
  data?: unknown[];
  /** Number of the acknowledgement, if there is or should be one. */
  id?: number;
}

/** `type` of a packet. */
export const EVENT = 2;
export const ACK = 3;

type Middleware = (event: Event, next: (err?: Error) => void) => void;

/** A client in a namespace, as its handlers see it. */
export class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends CatchAllEmitter<ListenEvents, EmitEvents, SocketReservedEventsMap> {
  static {
    Object.defineProperty(this.prototype, SOCKET, { value: true });
  }

  /** The namespace this socket belongs to. */
  readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** Public id, unique per namespace and connection; not the secret session id. */
  readonly id: SocketId;
  /** The state of an earlier connection was recovered. */
  readonly recovered: boolean = false;
  /** The client is connected: `false` in a middleware and after `disconnect`. */
  connected = false;

  /** The core's number for this socket. @internal */
  readonly _handle: number;
  /** Number of the connection; equal for the sockets of one client. @internal */
  readonly _conn: number;
  /** Joined rooms with the own id; `undefined` while there is only the own id. @internal */
  _rooms: Set<Room> | undefined = undefined;
  /** The connection began with polling and is a WebSocket now. @internal */
  _upgraded = false;
  /** The request as the engine's middlewares left it, if there are any. @internal */
  _seen: IncomingMessage | undefined = undefined;
  /** The Client object, if it was made. @internal */
  _client: Client | undefined = undefined;
  /** The connection ended. @internal */
  _cut = false;
  /** The socket has ended, or was refused. @internal */
  _gone = false;
  /** Set when the client left and may come back: the core keeps messages for it then. */
  private _away: Away | undefined = undefined;
  /** The handshake as text, kept from the end of the socket until it is read. */
  private _text: string | undefined = undefined;
  private _handshake: Handshake | undefined = undefined;
  private _request: EngineRequest | undefined = undefined;
  private _data: SocketData | undefined = undefined;
  private _acks: Map<number, AwaitedAck> | undefined = undefined;
  private _middlewares: Middleware[] | undefined = undefined;
  /** Events that were emitted before the client was accepted. */
  private _waiting: WaitingEmit[] | undefined = undefined;
  /** Why the socket ended. */
  private _ended: DisconnectReason | undefined = undefined;
  private _flags = 0;
  private _timeout = -1;

  /** @internal */
  constructor(
    nsp: Namespace<any, any, any, any>,
    id: SocketId,
    handle: number,
    conn: number,
    private readonly _clients: Clients,
  ) {
    super();
    this.nsp = nsp;
    this.id = id;
    this._handle = handle;
    this._conn = conn;
  }

  /** The request with which the client connected; mutable, and shared by all who hold this socket. */
  get handshake(): Handshake {
    if (!this._handshake) this.readHandshake();
    return this._handshake as Handshake;
  }

  set handshake(value: Handshake) {
    this.readHandshake();
    this._handshake = value;
  }

  /** The request that opened the connection: what can be read of Node's IncomingMessage. */
  get request(): IncomingMessage {
    return this._seen ?? (this._engineRequest as unknown as IncomingMessage);
  }

  /** @internal */
  get _engineRequest(): EngineRequest {
    if (!this._request) this.readHandshake();
    return this._request as EngineRequest;
  }

  private readHandshake(): void {
    const text = this._text ?? this.server._handshakeText(this as Socket<any, any, any, any>);
    if (text === undefined) return;
    const { request, handshake } = parseHandshake(text);
    this._text = undefined;
    if (this._seen) asSeen(handshake, this._seen);
    this._request = request;
    this._handshake = handshake;
  }

  /** Anything the application wants to keep with the socket; `fetchSockets` shows it. */
  get data(): SocketData {
    return (this._data ??= {} as SocketData);
  }

  set data(value: SocketData) {
    this._data = value;
  }

  /** `data` for another node that fetches this socket. @internal */
  _dataText(): string {
    try {
      return JSON.stringify(this._data) ?? '{}';
    } catch {
      // `data` holds a value that JSON can't represent. The answer is about other sockets too.
      return '{}';
    }
  }

  /** The server. */
  get server() {
    return this.nsp.server;
  }

  /** Rooms of the namespace. */
  get adapter() {
    return this.nsp.adapter;
  }

  /** The client, with its sockets in other namespaces. */
  get client(): Client {
    return this._clients.of(this as Socket<any, any, any, any>);
  }

  /** The Engine.IO connection. */
  get conn(): Connection {
    return this.client.conn;
  }

  /** The client is not connected. */
  get disconnected(): boolean {
    return !this.connected;
  }

  /** Rooms this socket is in, its own id included from `connection` on; empty after `disconnect`. */
  get rooms(): Set<Room> {
    return (this._rooms ??= new Set(this.connected ? [this.id] : []));
  }

  /** @internal */
  get _inOwnRoom(): boolean {
    return this._rooms === undefined ? this.connected : this._rooms.has(this.id);
  }

  /**
   * Sends an event to this client. A function as last argument is called with the client's acknowledgement.
   * Throws for reserved names.
   */
  override emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    refuseReserved(ev);
    const flags = this._flags;
    const timeout = this._timeout;
    this._flags = 0;
    this._timeout = -1;
    const call = typeof args[args.length - 1] === 'function' ? (args.pop() as Ack) : undefined;
    const ack = call && awaited(call, this, timeout);
    const data: unknown[] = [ev, ...args];
    this._notifyOutgoing(data);
    if (this.connected) {
      this.transmit(data, flags, ack, timeout);
    } else if (!this._gone) {
      // In a middleware: delivered once the connection is accepted.
      (this._waiting ??= []).push({ send: () => this.transmit(data, flags, ack, timeout), ack });
    } else if (this._away && this._away === this.server._away && !ack) {
      this.transmit(data, flags, ack, timeout);
    } else {
      ack?.gone(this._ended);
    }
    return true;
  }

  private transmit(data: unknown[], flags: number, ack: AwaitedAck | undefined, timeout: number): void {
    const { _native: native, _number: nsp } = this.nsp;
    const { text, buffers } = encode(data);
    if (!native) {
      // The server is closing; this socket ends next.
      ack?.gone('server shutting down');
    } else if (ack) {
      const id = native.emitWithAck(nsp, this._handle, text, flags, timeout, buffers);
      ack.wait(this.acks, id);
    } else {
      native.emit(nsp, this._handle, text, flags, buffers);
    }
  }

  /** Acknowledgements that are awaited, by number. @internal */
  get acks(): Map<number, AwaitedAck> {
    return (this._acks ??= new Map());
  }

  /**
   * Sends an event and resolves with the acknowledgement. It rejects at once, with the `reason`, when the client leaves;
   * after `timeout()` also when none comes in time.
   */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>> {
    const withError = this._timeout >= 0;
    return new Promise((resolve, reject) => {
      const done: Ack = (first: any, second: any) => {
        if (!withError) resolve(first);
        else if (first) reject(first);
        else resolve(second);
      };
      if (!withError) done.failed = reject;
      this.emit(ev, ...([...args, done] as any));
    });
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

  /** Addresses a room, or several, without this socket. */
  to(room: Room | Room[]): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.broadcast.to(room);
  }

  /** Alias of `to`. */
  in(room: Room | Room[]): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.broadcast.to(room);
  }

  /** Addresses everybody in the namespace except this socket and the members of these rooms. */
  except(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.broadcast.except(room);
  }

  /** Addresses everybody in the namespace except this socket. */
  get broadcast(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    const flags = this._flags;
    const timeout = this._timeout;
    this._flags = 0;
    this._timeout = -1;
    return new BroadcastOperator(this.nsp as Namespace<any, any, any, any>, [], [this.id], flags, timeout);
  }

  /** Like `broadcast`, clients of this server only. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    this._flags |= EmitFlag.LOCAL;
    return this.broadcast;
  }

  /** The next event may be dropped if the client can't take it right now. */
  get volatile(): this {
    this._flags |= EmitFlag.VOLATILE;
    return this;
  }

  /**
   * Sends a packet as it is; the caller chooses type, data and id. With the msgpack parser by name this throws: there
   * is no encoder for it in JavaScript.
   */
  packet(packet: Omit<Packet, 'nsp'>, options?: { compress?: boolean }): void {
    if (!this.connected) return;
    const { server, conn } = this;
    for (const frame of server.encoder.encode({ ...packet, nsp: this.nsp.name })) conn.send(frame, options);
  }

  /** Whether the next event may be compressed. */
  compress(compress: boolean): this {
    if (compress) this._flags &= ~EmitFlag.NO_COMPRESS;
    else this._flags |= EmitFlag.NO_COMPRESS;
    return this;
  }

  /** The next event's acknowledgement fails with an error after so many milliseconds. */
  timeout(
    timeout: number,
  ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData> {
    this._timeout = timeout;
    return this as any;
  }

  /** Joins a room, or several; `rooms` shows them right away. */
  join(rooms: Room | Room[]): Promise<void> | void {
    if (this._gone) return;
    const fresh = this._mirrorJoin(Array.isArray(rooms) ? rooms : [rooms]);
    if (this.connected && fresh.length > 0) this.nsp._native?.join(this._handle, fresh);
  }

  /** Leaves a room. */
  leave(room: Room): Promise<void> | void {
    const name = textOf(room);
    if (this._mirrorLeave(name) && this.inCoreRooms) this.nsp._native?.leave(this._handle, name);
  }

  /** Leaves all rooms, its own included. */
  leaveAll(): void {
    for (const room of [...this.rooms]) this._mirrorLeave(room);
    if (this.inCoreRooms) this.nsp._native?.leaveAll(this._handle);
  }

  /** Whether the core has this socket in rooms; a recovered socket is in its rooms before it is accepted. */
  private get inCoreRooms(): boolean {
    return this.connected || (this.recovered && !this._gone);
  }

  /** Updates the mirror of rooms; returns the new ones. @internal */
  _mirrorJoin(rooms: Iterable<Room>): Room[] {
    const fresh: Room[] = [];
    for (const name of rooms) {
      const room = textOf(name);
      const mine = this.rooms;
      if (mine.has(room)) continue;
      this.nsp.adapter.joined(this.id, room);
      mine.add(room);
      fresh.push(room);
    }
    return fresh;
  }

  /** Updates the mirror of rooms; returns whether the socket was in the room. @internal */
  _mirrorLeave(room: Room): boolean {
    if (!this.rooms.delete(room)) return false;
    this.nsp.adapter.left(this.id, room);
    return true;
  }

  /** Adds a middleware for each incoming event. */
  use(fn: Middleware): this {
    (this._middlewares ??= []).push(fn);
    return this;
  }

  /**
   * Ends this socket; with `close` the whole connection, other namespaces included. The client gets a `reason` as the
   * event `disconnect_reason` before the end.
   */
  disconnect(close = false, reason?: string): this {
    if (!this.connected) return this;
    if (reason !== undefined) (this as Socket).emit('disconnect_reason', reason);
    this.nsp._native?.disconnect(this._handle, close);
    if (close && this._client) this._client._ended('server namespace disconnect');
    else this._onclose('server namespace disconnect');
    return this;
  }

  /** @internal */
  _watchOutgoing(on: boolean): void {
    this.nsp._outgoingWatchers += on ? 1 : -1;
  }

  /** Accepts the client in the core, then sends the events that waited for that. @internal */
  _accept(): void {
    this.connected = true;
    this.nsp._native?.accept(this._handle);
    if (this._rooms) {
      if (this._rooms.size > 0) this.nsp._native?.join(this._handle, [...this._rooms]);
      this._mirrorJoin([this.id]);
    } else {
      this.nsp.adapter.opened(this.id);
    }
    const waiting = this._waiting;
    this._waiting = undefined;
    if (waiting) for (const { send } of waiting) send();
  }

  /** Restores the state of the socket's earlier connection. @internal */
  _recover(rooms: Room[]): void {
    (this as { recovered: boolean }).recovered = true;
    this._data = this.server._away?.take(this.id) as SocketData | undefined;
    if (rooms.length > 1 || rooms[0] !== this.id) this._mirrorJoin(rooms);
  }

  /** Keeps the data for a client that may come back. */
  private goAway(reason: DisconnectReason): void {
    const { _away: away } = this.server;
    if (!away || !Away.mayReturn(reason) || this._gone) return;
    this._away = away;
    if (this._data !== undefined) away.keep(this.id, this._data);
  }

  /** A packet of the client. @internal */
  _onpacket(packet: IncomingPacket): void {
    if (packet.type === ACK) this.onack(packet);
    else if (this.connected) this.onevent(packet);
  }

  /**
   * An event of the client. Packages that see every event replace this method, on a socket or on the class, and call
   * the original at the end; `dispatch` and `ack` are for those that don't. @internal
   */
  onevent(packet: IncomingPacket): void {
    const event = (packet.data || []) as Event;
    if (packet.id != null) event.push(this.ack(packet.id));
    if (this._any) for (const listener of [...this._any]) listener.apply(this, event);
    this.dispatch(event);
  }

  /** An event for middlewares and handlers. @internal */
  dispatch(event: Event): void {
    if (this._middlewares) this.runMiddlewares(event);
    else if (this.connected) this.deliver(event);
  }

  private deliver(data: Event): void {
    // An `error` event without a listener must not throw here: clients can send one.
    if (data[0] !== 'error' || this.listenerCount('error') > 0) emitLocally(this, data);
  }

  /** The function that acknowledges the event with this number. @internal */
  ack(id: number): Ack {
    let sent = false;
    return (...args: unknown[]) => {
      if (sent) return;
      sent = true;
      if (!this.connected) return;
      const { _native: native, _number: nsp } = this.nsp;
      const { text, buffers } = encode(args);
      native?.ack(nsp, this._handle, id, text, buffers);
    };
  }

  private runMiddlewares(data: Event): void {
    const chain = [...(this._middlewares as Middleware[])];
    const step = (at: number): void => {
      chain[at](data, (err?: Error) => {
        if (!err && at + 1 < chain.length) return step(at + 1);
        tick(() => {
          if (err) this._onerror(err);
          else if (this.connected) this.deliver(data);
        });
      });
    };
    step(0);
  }

  /** The client acknowledged. @internal */
  onack({ id, data }: IncomingPacket): void {
    this._acks?.get(id as number)?.answered(data || []);
  }

  /** @internal */
  _onerror(err: Error): void {
    if (this.listenerCount('error') > 0) this.emitReserved('error', err);
  }

  /** The socket ended. Handlers of `disconnecting` still see its rooms. @internal */
  _onclose(reason: DisconnectReason, description?: any): void {
    if (!this.connected) {
      if (this.recovered) this.goAway(reason);
      this._cleanup(reason);
      return;
    }
    try {
      this.emitReserved('disconnecting', reason, description);
    } finally {
      this.goAway(reason);
      this._cleanup(reason);
    }
    this.emitReserved('disconnect', reason, description);
  }

  /** Leaves all rooms and drops all pending state; joins have no effect after this. @internal */
  _cleanup(reason?: DisconnectReason): void {
    if (this._gone) return;
    this._ended = reason;
    if (this._rooms) for (const room of [...this._rooms]) this._mirrorLeave(room);
    else if (this.connected) this.nsp.adapter.left(this.id, this.id);
    this._gone = true;
    this.connected = false;
    if (!this._request) this._text = this.server._handshakeText(this as Socket<any, any, any, any>);
    this._rooms = undefined;
    if (this._acks) for (const ack of [...this._acks.values()]) ack.gone(reason);
    if (this._waiting) for (const { ack } of this._waiting) ack?.gone(reason);
    this._acks = undefined;
    this._waiting = undefined;
    if (this._anyOutgoing) this._watchOutgoing(false);
    this.nsp._remove(this as Socket<any, any, any, any>);
    this.server._forget(this as Socket<any, any, any, any>);
  }
}
