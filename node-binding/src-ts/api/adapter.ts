// `namespace.adapter`: a mirror of the core's room index for reads in JavaScript. Each join and leave updates it at
// once, so that a read right after the call is correct. The room named by a socket's own id is not stored: a socket in
// no other room takes no memory here.
import { EventEmitter } from 'node:events';
import { fetched } from '../cluster/fleet';
import type { Fetched } from '../cluster/fleet';
import { roomOf, textOf } from '../native/room-name';
import type { RemoteSocket } from './broadcast-operator';
import type { Namespace } from './namespace';
import type { Socket } from './socket';
import type { Room, SocketId } from './socket-types';

type AnyNamespace = Namespace<any, any, any, any>;
type AnySocket = Socket<any, any, any, any>;

/** A room expression: members of any of `rooms` (everybody if empty) who are in none of `except`. */
export interface Target {
  rooms: Set<Room>;
  except?: Set<Room>;
}

/** A room expression and how to send, as `socket.io-adapter` names it. */
export interface BroadcastOptions extends Target {
  flags?: { volatile?: boolean; compress?: boolean; local?: boolean };
}

/** `adapter.rooms`: the stored rooms, and one for each socket's own id. */
class RoomMap extends Map<Room, Set<SocketId>> {
  constructor(private readonly nsp: AnyNamespace) {
    super();
  }

  /** The room as stored, without the own-id rooms. */
  stored(room: Room): Set<SocketId> | undefined {
    return super.get(room);
  }

  private owner(room: Room): boolean {
    return this.nsp.sockets.get(room)?._inOwnRoom ?? false;
  }

  override get(name: Room): Set<SocketId> | undefined {
    const room = textOf(name);
    return super.get(room) ?? (this.owner(room) ? new Set([room]) : undefined);
  }

  override has(name: Room): boolean {
    const room = textOf(name);
    return super.has(room) || this.owner(room);
  }

  override *entries(): MapIterator<[Room, Set<SocketId>]> {
    yield* super.entries();
    for (const [id, socket] of this.nsp.sockets) {
      if (socket._inOwnRoom && !super.has(id)) yield [id, new Set([id])];
    }
    return undefined;
  }

  override *keys(): MapIterator<Room> {
    for (const [room] of this.entries()) yield room;
    return undefined;
  }

  override *values(): MapIterator<Set<SocketId>> {
    for (const [, members] of this.entries()) yield members;
    return undefined;
  }

  override [Symbol.iterator](): MapIterator<[Room, Set<SocketId>]> {
    return this.entries();
  }

  override forEach(fn: (members: Set<SocketId>, room: Room, map: Map<Room, Set<SocketId>>) => void, self?: any): void {
    for (const [room, members] of this.entries()) fn.call(self, members, room, this);
  }

  override get size(): number {
    let own = 0;
    for (const [id, socket] of this.nsp.sockets) {
      if (socket._inOwnRoom && !super.has(id)) own++;
    }
    return super.size + own;
  }
}

/** `adapter.sids`: the rooms of each connected socket. */
class SidMap extends Map<SocketId, Set<Room>> {
  constructor(private readonly nsp: AnyNamespace) {
    super();
  }

  override get size(): number {
    return this.nsp.sockets.size;
  }

  override get(id: SocketId): Set<Room> | undefined {
    return this.nsp.sockets.get(id)?.rooms;
  }

  override has(id: SocketId): boolean {
    return this.nsp.sockets.has(id);
  }

  override *entries(): MapIterator<[SocketId, Set<Room>]> {
    for (const [id, socket] of this.nsp.sockets) yield [id, socket.rooms];
    return undefined;
  }

  override keys(): MapIterator<SocketId> {
    return this.nsp.sockets.keys();
  }

  override *values(): MapIterator<Set<Room>> {
    for (const socket of this.nsp.sockets.values()) yield socket.rooms;
    return undefined;
  }

  override [Symbol.iterator](): MapIterator<[SocketId, Set<Room>]> {
    return this.entries();
  }

  override forEach(fn: (rooms: Set<Room>, id: SocketId, map: Map<SocketId, Set<Room>>) => void, self?: any): void {
    for (const [id, rooms] of this.entries()) fn.call(self, rooms, id, this);
  }
}

/** `namespace.adapter`: room events, and the maps that applications read. The core sends. */
export class Adapter extends EventEmitter {
  /** Members by room. */
  readonly rooms: Map<Room, Set<SocketId>>;
  /** Rooms by socket. */
  readonly sids: Map<SocketId, Set<Room>>;

  constructor(readonly nsp: AnyNamespace) {
    super();
    this.rooms = new RoomMap(nsp);
    this.sids = new SidMap(nsp);
  }

  /** How many servers share this room space. */
  async serverCount(): Promise<number> {
    const { _native: native, _number: number, server } = this.nsp;
    if (!native || !server._fleet) return 1;
    const { answers } = await server._fleet.ask(native, (commands) => commands.nodeCount(number), ([, , count]) => count as number);
    return answers;
  }

  /** Names of the rooms of all servers. */
  async allRooms(): Promise<Fetched<Set<Room>>> {
    const { _native: native, _number: number, server } = this.nsp;
    const rooms = new Set(this.rooms.keys());
    if (!native || !server._fleet) return rooms;
    const there = await server._fleet.ask(native, (commands) => commands.fleetRooms(number), ([, , names]) => names as Room[]);
    for (const room of there.answers) rooms.add(roomOf(room));
    return fetched(rooms, there);
  }

  /** Rooms of a socket. */
  socketRooms(id: SocketId): Set<Room> | undefined {
    return this.sids.get(id);
  }

  /** Ids of the sockets in any of the rooms, of all sockets if none is named. */
  sockets(rooms: Set<Room>): Promise<Set<SocketId>> {
    const ids = new Set<SocketId>();
    this.apply({ rooms }, (socket) => ids.add(socket.id));
    return Promise.resolve(ids);
  }

  /** Does nothing: the core keeps the rooms. */
  init(): void {}

  /** Does nothing: the core ends with the server. */
  close(): void {}

  /** Puts a socket into rooms, by its id. */
  addAll(id: SocketId, rooms: Set<Room>): void {
    void this.nsp.sockets.get(id)?.join([...rooms]);
  }

  /** Takes a socket out of a room, by its id. */
  del(id: SocketId, room: Room): void {
    void this.nsp.sockets.get(id)?.leave(room);
  }

  /** Takes a socket out of all rooms, by its id. */
  delAll(id: SocketId): void {
    this.nsp.sockets.get(id)?.leaveAll();
  }

  /** Sends an event packet, `{ data: [name, …args] }`, to the sockets that `opts` names. */
  broadcast(packet: { data: [string, ...unknown[]] }, opts: BroadcastOptions): void {
    this.to(opts).emit(...packet.data);
  }

  private to({ rooms, except, flags }: BroadcastOptions) {
    const { volatile, compress, local } = flags ?? {};
    let to = this.nsp.to([...rooms]).except([...(except ?? [])]);
    if (volatile) to = to.volatile;
    if (local) to = to.local;
    if (compress !== undefined) to = to.compress(compress);
    return to;
  }

  /**
   * As `broadcast`, and `ack` is called with each client's acknowledgement, `counted` with how many were asked. The
   * caller keeps the time limit.
   */
  broadcastWithAck(
    packet: { data: [string, ...unknown[]] },
    opts: BroadcastOptions,
    counted: (clients: number) => void,
    ack: (...args: any[]) => void,
  ): void {
    const { volatile, compress } = opts.flags ?? {};
    let clients = 0;
    this.apply(opts, (socket) => {
      clients += 1;
      (volatile ? socket.volatile : socket).compress(compress !== false).emit(...packet.data, ack);
    });
    counted(clients);
  }

  /** Sends an event, name and arguments, to the other servers, if there are any. */
  serverSideEmit(packet: [string, ...unknown[]]): void {
    if (this.nsp.server._fleet) this.nsp.serverSideEmit(...packet);
    else console.warn('this adapter does not support the serverSideEmit() functionality');
  }

  /** The core keeps the sessions. */
  persistSession(_session: unknown): void {}

  /** The core keeps the sessions. */
  restoreSession(_pid: string, _offset: string): null {
    return null;
  }

  /** The sockets that `opts` names. */
  fetchSockets(opts: BroadcastOptions): Promise<RemoteSocket<any, any>[]> {
    return this.to(opts).fetchSockets();
  }

  /** Puts the sockets that `opts` names into rooms. */
  addSockets(opts: BroadcastOptions, rooms: Room[]): void {
    this.to(opts).socketsJoin(rooms);
  }

  /** Takes the sockets that `opts` names out of rooms. */
  delSockets(opts: BroadcastOptions, rooms: Room[]): void {
    this.to(opts).socketsLeave(rooms);
  }

  /** Ends the sockets that `opts` names; with `close` their connections too. */
  disconnectSockets(opts: BroadcastOptions, close: boolean): void {
    this.to(opts).disconnectSockets(close);
  }

  /** A socket connected: its own room exists. @internal */
  opened(id: SocketId): void {
    if (this.eventNames().length > 0) {
      this.emit('create-room', id);
      this.emit('join-room', id, id);
    }
  }

  /** A socket joined `room`. @internal */
  joined(id: SocketId, room: Room): void {
    const map = this.rooms as RoomMap;
    const created = !map.has(room);
    let members = map.stored(room);
    if (!members) {
      members = map.get(room) ?? new Set();
      map.set(room, members);
    }
    if (created) this.emit('create-room', room);
    if (!members.has(id)) {
      members.add(id);
      this.emit('join-room', room, id);
    }
  }

  /** A socket left `room`. @internal */
  left(id: SocketId, room: Room): void {
    const map = this.rooms as RoomMap;
    const members = map.stored(room);
    if (!members) {
      if (room === id) {
        this.emit('leave-room', room, id);
        this.emit('delete-room', room);
      }
      return;
    }
    if (members.delete(id)) this.emit('leave-room', room, id);
    if (members.size === 0 && map.delete(room)) this.emit('delete-room', room);
  }

  /** Calls `fn` once for each connected socket that the expression names. @internal */
  apply(target: Target, fn: (socket: AnySocket) => void): void {
    const { sockets } = this.nsp;
    const except = new Set<SocketId>();
    for (const room of target.except ?? []) {
      for (const id of this.rooms.get(room) ?? []) except.add(id);
    }
    if (target.rooms.size === 0) {
      for (const socket of [...sockets.values()]) {
        if (!except.has(socket.id)) fn(socket);
      }
      return;
    }
    const found = new Set<AnySocket>();
    for (const room of target.rooms) {
      for (const id of this.rooms.get(room) ?? []) {
        const socket = except.has(id) ? undefined : sockets.get(id);
        if (socket) found.add(socket);
      }
    }
    for (const socket of found) fn(socket);
  }
}
