// The sockets and rooms of one adapter, as the core has them. The core follows the adapter's own maps, which JavaScript
// reads.
import { EmitFlag } from '../generated/wire';
import { roomName } from '../native/room-name';
import type { BridgeEngine } from './engine';
import { EngineSocket } from './engine-socket';
import type { Frame } from './raw-commands';
import type { BroadcastOptions, IoAdapter } from './socketio';

/** The members of one adapter's namespace. */
export class Members {
  /** Sockets that may have listeners for what is sent to them. */
  private readonly listening = new Set<string>();
  private readonly connections = new Map<string, EngineSocket>();
  /** Sockets on connections that are not the bridge's. */
  private readonly foreign = new Set<string>();
  /** The core's number for the namespace, while it has members. */
  private number = -1;

  constructor(
    private readonly adapter: IoAdapter,
    private readonly engine: BridgeEngine,
  ) {}

  /** The core reaches every recipient. */
  get complete(): boolean {
    return this.foreign.size === 0;
  }

  /** There are listeners of outgoing messages, on a member or on the engine. */
  get observed(): boolean {
    return this.listening.size > 0 || this.engine._watched.size > 0 || this.engine._watchesAll;
  }

  /** A socket joined rooms. A socket that is not connected yet becomes a member later. */
  join(id: string, rooms: Set<unknown>): void {
    const known = this.connections.get(id);
    if (known) return this.engine.commands?.join(this.number, known._handle, id, names(rooms));
    const socket = this.adapter.nsp.sockets.get(id);
    const { commands } = this.engine;
    if (!socket || !commands) return;
    if (!(socket.conn instanceof EngineSocket)) {
      this.foreign.add(id);
      return;
    }
    if (socket._anyOutgoingListeners?.length) this.listening.add(id);
    if (this.number < 0) this.number = commands.namespace(this.adapter.nsp.name);
    this.connections.set(id, socket.conn);
    commands.join(this.number, socket.conn._handle, id, names(this.adapter.sids.get(id) ?? rooms));
  }

  /** A socket got a listener of outgoing messages. `join` looks for those of a socket that is no member yet. */
  listen(id: string): void {
    if (this.connections.has(id)) this.listening.add(id);
  }

  leave(id: string, room: unknown): void {
    const known = this.connections.get(id);
    if (known) this.engine.commands?.leave(this.number, known._handle, roomName(room));
  }

  /** A socket left all rooms and the namespace. */
  remove(id: string): void {
    this.foreign.delete(id);
    const known = this.connections.get(id);
    if (!known) return;
    this.connections.delete(id);
    this.listening.delete(id);
    this.engine.commands?.remove(this.number, known._handle);
    // Clients' requests can make namespaces, so an empty one is removed.
    if (this.connections.size === 0) {
      this.engine.commands?.removeNamespace(this.number);
      this.number = -1;
    }
  }

  /** Sends an encoded packet to a room expression. */
  publish(frames: Frame[], { rooms, except, flags = {} }: BroadcastOptions): void {
    if (this.number < 0 || frames.length === 0) return;
    const bits = (flags.volatile ? EmitFlag.VOLATILE : 0) | (flags.compress === false ? EmitFlag.NO_COMPRESS : 0);
    this.engine.commands?.publish(this.number, names(rooms), except ? names(except) : [], frames, bits);
  }
}

function names(rooms: Set<unknown>): string[] {
  const out: string[] = [];
  for (const room of rooms) out.push(roomName(room));
  return out;
}
