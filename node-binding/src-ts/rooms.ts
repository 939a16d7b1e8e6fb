// Who is in which room, as JavaScript reads it: a mirror of the core's room index, kept in step at each join
// and leave so that a read right after the call is true. The room named by a socket's own id is not stored:
// a socket that joins nothing costs nothing here.
import { EventEmitter } from 'node:events';
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

  override get(room: Room): Set<SocketId> | undefined {
    return super.get(room) ?? (this.owner(room) ? new Set([room]) : undefined);
  }

  override has(room: Room): boolean {
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
class SidMap {
  constructor(private readonly nsp: AnyNamespace) {}

  get size(): number {
    return this.nsp.sockets.size;
  }

  get(id: SocketId): Set<Room> | undefined {
    return this.nsp.sockets.get(id)?.rooms;
  }

  has(id: SocketId): boolean {
    return this.nsp.sockets.has(id);
  }

  *entries(): IterableIterator<[SocketId, Set<Room>]> {
    for (const [id, socket] of this.nsp.sockets) yield [id, socket.rooms];
  }

  keys(): IterableIterator<SocketId> {
    return this.nsp.sockets.keys();
  }

  *values(): IterableIterator<Set<Room>> {
    for (const socket of this.nsp.sockets.values()) yield socket.rooms;
  }

  [Symbol.iterator](): IterableIterator<[SocketId, Set<Room>]> {
    return this.entries();
  }

  forEach(fn: (rooms: Set<Room>, id: SocketId) => void): void {
    for (const [id, rooms] of this.entries()) fn(rooms, id);
  }
}

/** `namespace.adapter`: room events and the maps that applications read. Sending is the core's. */
export class RoomMirror extends EventEmitter {
  /** Members by room. */
  readonly rooms: Map<Room, Set<SocketId>>;
  /** Rooms by socket. */
  readonly sids: SidMap;

  constructor(readonly nsp: AnyNamespace) {
    super();
    this.rooms = new RoomMap(nsp);
    this.sids = new SidMap(nsp);
  }

  /** How many servers share this room space. */
  serverCount(): Promise<number> {
    return Promise.resolve(1);
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
