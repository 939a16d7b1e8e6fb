// Publishing to a fleet from a process without clients: the API of @socket.io/redis-emitter, over the core's own
// connection.
import type { Room } from '../api/socket-types';
import type { DefaultEventsMap, EventNames, EventParams, EventsMap } from '../api/typed-events';
import { isClient, settingsOf } from '../cluster/redis-clients';
import { EmitFlag } from '../generated/wire';
import { addon } from '../native/bindings';
import type { NativeEmitter } from '../native/bindings';
import { coded } from '../native/error';
import { refuseReserved } from '../native/event-names';
import { encode } from '../native/payload';
import { plainCluster } from '../options/cluster-options';
import type { ClusterFormat, RedisOptions } from '../options/cluster-options';
import { optionsJson } from '../options/json';

/** Options of an emitter that is made from a client. */
export interface EmitterOptions extends Omit<ClusterFormat, 'prefix'> {
  /** First part of all channel names. Default `socket.io`. */
  key?: string;
}

/** Default time limit of `flush` and `close`. */
const FLUSH_MS = 5000;

const RESERVED: ReadonlySet<unknown> = new Set(['connect', 'connection', 'new_namespace']);

function list(value: Room | Room[]): Room[] {
  return (Array.isArray(value) ? value : [value]).map((name) => (typeof name === 'string' ? name : String(name)));
}

/** An immutable room expression with flags, and the calls that send to its sockets. */
export class BroadcastOperator<EmitEvents extends EventsMap> {
  /** @internal */
  constructor(
    private readonly native: NativeEmitter,
    private readonly nsp: string,
    private readonly rooms: Room[] = [],
    private readonly exceptRooms: Room[] = [],
    private readonly flags = 0,
  ) {}

  private with(rooms: Room[], except: Room[], flags = this.flags): BroadcastOperator<EmitEvents> {
    return new BroadcastOperator(this.native, this.nsp, [...new Set(rooms)], [...new Set(except)], flags);
  }

  /** Adds a room, or several. */
  to(room: Room | Room[]): BroadcastOperator<EmitEvents> {
    return this.with([...this.rooms, ...list(room)], this.exceptRooms);
  }

  /** Alias of `to`. */
  in(room: Room | Room[]): BroadcastOperator<EmitEvents> {
    return this.to(room);
  }

  /** Leaves out the members of a room, or of several. */
  except(room: Room | Room[]): BroadcastOperator<EmitEvents> {
    return this.with(this.rooms, [...this.exceptRooms, ...list(room)]);
  }

  /** Whether the message may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents> {
    return this.with(this.rooms, this.exceptRooms, compress ? this.flags & ~EmitFlag.NO_COMPRESS : this.flags | EmitFlag.NO_COMPRESS);
  }

  /** The message may be dropped for clients that can't take it right now. */
  get volatile(): BroadcastOperator<EmitEvents> {
    return this.with(this.rooms, this.exceptRooms, this.flags | EmitFlag.VOLATILE);
  }

  /** Sends an event. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): true {
    refuseReserved(ev);
    const { text, buffers } = encode([ev, ...args]);
    this.native.publish(this.nsp, this.rooms, this.exceptRooms, text, this.flags, buffers);
    return true;
  }

  /** Puts the sockets into a room, or several. */
  socketsJoin(rooms: Room | Room[]): void {
    this.native.socketsJoin(this.nsp, this.rooms, this.exceptRooms, list(rooms));
  }

  /** Takes the sockets out of a room, or several. */
  socketsLeave(rooms: Room | Room[]): void {
    this.native.socketsLeave(this.nsp, this.rooms, this.exceptRooms, list(rooms));
  }

  /** Ends the sockets; with `close` their connections too. */
  disconnectSockets(close = false): void {
    this.native.disconnectSockets(this.nsp, this.rooms, this.exceptRooms, close);
  }
}

/** Sends to the clients of a fleet from a process that has none. It does not keep the process alive; see `close`. */
export class Emitter<EmitEvents extends EventsMap = DefaultEventsMap> {
  private readonly native: NativeEmitter;

  /**
   * @param redis where Redis is (as the option `cluster`), or a client of `redis` or `ioredis` that goes there
   * @param opts with a client: the format of the fleet
   * @param nsp the namespace
   */
  constructor(redis: (RedisOptions & ClusterFormat) | object, opts?: EmitterOptions, nsp?: string);
  /** @internal */
  constructor(native: NativeEmitter, opts: undefined, nsp: string);
  constructor(redis: object, opts: EmitterOptions = {}, readonly nsp: string = '/') {
    if (redis instanceof addon().NativeEmitter) {
      this.native = redis;
      return;
    }
    const { key, ...format } = opts;
    const settings = isClient(redis) ? { ...settingsOf(redis), ...format, prefix: key } : redis;
    this.native = new (addon().NativeEmitter)(optionsJson(plainCluster(settings) as object));
  }

  private operator(): BroadcastOperator<EmitEvents> {
    return new BroadcastOperator(this.native, this.nsp);
  }

  /** The same connection for another namespace. */
  of(nsp: string): Emitter<EmitEvents> {
    return new Emitter<EmitEvents>(this.native, undefined, nsp[0] === '/' ? nsp : `/${nsp}`);
  }

  /** Sends an event to everybody in the namespace. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): true {
    return this.operator().emit(ev, ...args);
  }

  /** Addresses a room, or several. */
  to(room: Room | Room[]): BroadcastOperator<EmitEvents> {
    return this.operator().to(room);
  }

  /** Alias of `to`. */
  in(room: Room | Room[]): BroadcastOperator<EmitEvents> {
    return this.operator().to(room);
  }

  /** Addresses everybody except the members of a room, or of several. */
  except(room: Room | Room[]): BroadcastOperator<EmitEvents> {
    return this.operator().except(room);
  }

  /** The next message may be dropped for clients that can't take it right now. */
  get volatile(): BroadcastOperator<EmitEvents> {
    return this.operator().volatile;
  }

  /** Whether the next message may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents> {
    return this.operator().compress(compress);
  }

  /** Puts all sockets into a room, or several. */
  socketsJoin(rooms: Room | Room[]): void {
    this.operator().socketsJoin(rooms);
  }

  /** Takes all sockets out of a room, or several. */
  socketsLeave(rooms: Room | Room[]): void {
    this.operator().socketsLeave(rooms);
  }

  /** Ends all sockets; with `close` their connections too. */
  disconnectSockets(close = false): void {
    this.operator().disconnectSockets(close);
  }

  /** Sends an event to the servers of the fleet. They can not answer. */
  serverSideEmit(ev: string, ...args: unknown[]): void {
    if (RESERVED.has(ev)) throw coded('ERR_KRAKEN_WS_NAME', new Error(`"${ev}" is a reserved event name`));
    if (typeof args[args.length - 1] === 'function') {
      throw coded('ERR_KRAKEN_WS_ARGUMENT', new Error('Acknowledgements are not supported'));
    }
    const { text, buffers } = encode([ev, ...args]);
    this.native.serverSideEmit(this.nsp, text, buffers);
  }

  /** Resolves when Redis has taken all that was sent so far; rejects after `timeoutMs`. */
  async flush(timeoutMs = FLUSH_MS): Promise<void> {
    await this.out(timeoutMs, false);
  }

  /** As `flush`, and the connection ends, that of its other namespaces too. */
  async close(timeoutMs = FLUSH_MS): Promise<void> {
    await this.out(timeoutMs, true);
  }

  private async out(timeoutMs: number, end: boolean): Promise<void> {
    const problem = await this.native.flush(timeoutMs, end);
    if (problem !== null && problem !== undefined) throw coded('ERR_KRAKEN_WS_REDIS', new Error(problem));
  }
}
