// Broadcasts: an immutable room expression with flags, and the calls that send to its sockets or act on them.
import { fetched } from '../cluster/fleet';
import { EmitFlag } from '../generated/wire';
import { later, notLater, tick } from '../native/clock';
import { refuseReserved } from '../native/event-names';
import { encode } from '../native/payload';
import { roomOf, textOf } from '../native/room-name';
import type { Target } from './adapter';
import type { Namespace } from './namespace';
import { SOCKET } from './socket-types';
import type { Handshake, Room, SocketId } from './socket-types';
import type {
  AllButLast,
  DecorateAcknowledgements,
  EventNames,
  EventNamesWithError,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
} from './typed-events';

type AnyNamespace = Namespace<any, any, any, any>;
type BroadcastAck = (err: Error | null, responses: any) => void;

/** How long the process stays alive after the time limit of a broadcast: the core reports the answers in that time. */
const ALIVE_MS = 1000;

function added(list: Room[], room: Room | Room[]): Room[] {
  const names = Array.isArray(room) ? room : [room];
  return [...new Set([...list, ...names.map(textOf)])];
}

/** A message whose acknowledgements are awaited. */
export interface PendingBroadcast {
  done: (err: Error | null, responses: unknown[]) => void;
  /** The answers so far, one list per event of the core. */
  answers: unknown[][];
}

/** Sends to the sockets that a room expression names. */
export class BroadcastOperator<EmitEvents extends EventsMap, SocketData> {
  /** @internal */
  constructor(
    private readonly nsp: AnyNamespace,
    private readonly rooms: Room[] = [],
    private readonly exceptRooms: Room[] = [],
    private readonly flags = 0,
    private readonly timeoutMs = -1,
    private readonly single = false,
  ) {}

  private with(change: { rooms?: Room[]; except?: Room[]; flags?: number; timeout?: number }): this {
    return new BroadcastOperator(
      this.nsp,
      change.rooms ?? this.rooms,
      change.except ?? this.exceptRooms,
      change.flags ?? this.flags,
      change.timeout ?? this.timeoutMs,
      this.single,
    ) as this;
  }

  private get target(): Target {
    return { rooms: new Set(this.rooms), except: new Set(this.exceptRooms) };
  }

  /** Adds a room, or several. */
  to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ rooms: added(this.rooms, room) });
  }

  /** Alias of `to`. */
  in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return this.to(room);
  }

  /** Leaves out the members of a room, or of several. */
  except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ except: added(this.exceptRooms, room) });
  }

  /** Whether the message may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ flags: compress ? this.flags & ~EmitFlag.NO_COMPRESS : this.flags | EmitFlag.NO_COMPRESS });
  }

  /** The message may be dropped for clients that can't take it right now. */
  get volatile(): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ flags: this.flags | EmitFlag.VOLATILE });
  }

  /** Clients of this server only. */
  get local(): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ flags: this.flags | EmitFlag.LOCAL });
  }

  /** How long acknowledgements may take, in milliseconds. */
  timeout(timeout: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.with({ timeout }) as any;
  }

  /**
   * Sends an event. With a function as last argument each client acknowledges, and the function is called with `(err,
   * responses)`: an error if some clients did not answer in time, and the answers of the others. `err.missingSockets`
   * has the ids of sockets of this process that did not answer, the first thousand.
   */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    refuseReserved(ev);
    const children = this.nsp._standsFor;
    if (children) {
      for (const child of children) {
        const { rooms, exceptRooms, flags, timeoutMs } = this;
        new BroadcastOperator(child, rooms, exceptRooms, flags, timeoutMs).emit(ev as string, ...args);
      }
      return true;
    }
    const ack = typeof args[args.length - 1] === 'function' ? (args.pop() as BroadcastAck) : undefined;
    const data: unknown[] = [ev, ...args];
    const { nsp, rooms, exceptRooms, flags } = this;
    if (nsp._outgoingWatchers > 0) nsp.adapter.apply(this.target, (socket) => socket._notifyOutgoing(data));
    const native = nsp._native;
    if (!native) {
      if (ack) tick(() => this.finish(ack, null, []));
      return true;
    }
    const { text, buffers } = encode(data);
    if (ack) {
      const timeout = Math.max(this.timeoutMs, 1);
      const id = native.publishWithAck(nsp._number, rooms, exceptRooms, text, flags, timeout, buffers);
      // The core keeps the time limit. This timer only keeps the process alive, as socket.io's does: before the HTTP
      // server listens, nothing else would.
      const alive = later(() => {}, timeout + ALIVE_MS);
      const done = (err: Error | null, responses: unknown[]) => {
        notLater(alive);
        this.finish(ack, err, responses);
      };
      nsp.server._broadcastAcks?.set(id, { done, answers: [] });
    } else if (rooms.length === 1 && exceptRooms.length === 0 && !buffers) {
      native.publishRoom(nsp._number, rooms[0], text, flags);
    } else {
      native.publish(nsp._number, rooms, exceptRooms, text, flags, buffers);
    }
    return true;
  }

  private finish(ack: BroadcastAck, err: Error | null, responses: unknown[]): void {
    if (!this.single) ack(err, responses);
    else ack(err, err ? null : responses[0]);
  }

  /** Sends an event and resolves with all acknowledgements; rejects, with `err.responses`, on a time-out. */
  emitWithAck<Ev extends EventNamesWithError<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>> {
    return new Promise((resolve, reject) => {
      const done = (err: (Error & { responses?: unknown }) | null, responses: any) => {
        if (!err) return resolve(responses);
        err.responses = responses;
        reject(err);
      };
      this.emit(ev, ...([...args, done] as any));
    });
  }

  /** Ids of the sockets. Deprecated in socket.io: use `fetchSockets`. */
  allSockets(): Promise<Set<SocketId>> {
    return this.nsp.adapter.sockets(new Set(this.rooms));
  }

  /**
   * The sockets, of all nodes. In a fleet the array is a {@link Fetched}, which says how many nodes did not answer in
   * time; the declared type is socket.io's.
   */
  async fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    const found: unknown[] = [];
    const { nsp, rooms, exceptRooms, timeoutMs, others } = this;
    nsp.adapter.apply(this.target, (socket) => found.push(socket));
    const here = found as RemoteSocket<EmitEvents, SocketData>[];
    if (!others) return here;
    const there = await others.ask(
      nsp._native!,
      (native, timeout) => native.fetchRemote(nsp._number, rooms, exceptRooms, timeoutMs >= 0 ? timeoutMs : timeout),
      (payload) => (payload[2] as RemoteDetails<SocketData>[]).map((socket) => new RemoteSocket<EmitEvents, SocketData>(nsp, socket)),
    );
    return fetched([...here, ...there.answers], there);
  }

  /** The other nodes, if the operator addresses them. */
  private get others() {
    return this.nsp._native && !(this.flags & EmitFlag.LOCAL) ? this.nsp.server._fleet : undefined;
  }

  /** Puts the sockets into a room, or several. */
  socketsJoin(room: Room | Room[]): void {
    const rooms = added([], room);
    this.nsp.adapter.apply(this.target, (socket) => socket._mirrorJoin(rooms));
    this.nsp._native?.socketsJoin(this.nsp._number, this.rooms, this.exceptRooms, rooms, this.flags);
  }

  /** Takes the sockets out of a room, or several. */
  socketsLeave(room: Room | Room[]): void {
    const rooms = added([], room);
    this.nsp.adapter.apply(this.target, (socket) => {
      for (const name of rooms) socket._mirrorLeave(name);
    });
    this.nsp._native?.socketsLeave(this.nsp._number, this.rooms, this.exceptRooms, rooms, this.flags);
  }

  /** Ends the sockets; with `close` their connections too. */
  disconnectSockets(close = false): void {
    const { nsp, rooms, exceptRooms } = this;
    nsp.adapter.apply(this.target, (socket) => socket.disconnect(close));
    // Other nodes may have matching sockets, and the core sessions of clients that are away.
    if (this.others || nsp.server._away) nsp._native?.disconnectSockets(nsp._number, rooms, exceptRooms, close, this.flags);
  }
}

interface RemoteDetails<SocketData> {
  id: SocketId;
  handshake: Handshake;
  rooms: Room[];
  data: SocketData;
}

/**
 * A socket of another server, as `fetchSockets` returns it. Sockets of this server are returned as Socket objects,
 * which have all its members and count as instances.
 */
export class RemoteSocket<EmitEvents extends EventsMap, SocketData> {
  /** @internal */
  static [Symbol.hasInstance](value: unknown): boolean {
    const marked = typeof value === 'object' && value !== null && SOCKET in value;
    return marked || Function.prototype[Symbol.hasInstance].call(this, value);
  }

  /** Public id. */
  readonly id: SocketId;
  /** The request with which the client connected. */
  readonly handshake: Handshake;
  /** Rooms at the time of the request. */
  readonly rooms: Set<Room>;
  /** The application's data at the time of the request. */
  readonly data: SocketData;
  private readonly operator: BroadcastOperator<EmitEvents, SocketData>;

  /** @internal */
  constructor(nsp: AnyNamespace, details: RemoteDetails<SocketData>) {
    this.id = details.id;
    this.handshake = details.handshake;
    this.rooms = new Set(details.rooms.map(roomOf));
    this.data = details.data;
    this.operator = new BroadcastOperator(nsp, [this.id], [], 0, -1, true);
  }

  /** How long the acknowledgement of the next event may take, in milliseconds. */
  timeout(timeout: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.operator.timeout(timeout);
  }

  /** Sends an event to this socket. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return this.operator.emit(ev, ...args);
  }

  /** Joins a room, or several. */
  join(room: Room | Room[]): void {
    this.operator.socketsJoin(room);
  }

  /** Leaves a room. */
  leave(room: Room): void {
    this.operator.socketsLeave(room);
  }

  /** Ends this socket; with `close` its connection too. */
  disconnect(close = false): this {
    this.operator.disconnectSockets(close);
    return this;
  }
}
