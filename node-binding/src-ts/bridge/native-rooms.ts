// Broadcasts of socket.io's in-memory adapter, sent by the core: socket.io's own parser encodes a packet once, the core
// fans it out. A layer stands between the in-memory class and the classes derived from it, so that adapters whose local
// delivery ends in `super.broadcast` are served too. The in-memory class itself does not change: other servers of the
// process use it, and socket.io restores its methods when a server closes.
import { EngineSocket } from './engine-socket';
import type { Members } from './members';
import { frameOf } from './raw-commands';
import type { Frame } from './raw-commands';
import type { BroadcastOptions, IoAdapter, IoSocket, Packet } from './socketio';

/** Adapters that a bridge serves. */
const served = new WeakMap<object, Members>();
/** The layers, by the prototype of the in-memory class that they stand before. */
const layers = new WeakMap<object, object>();
const isLayer = new WeakSet<object>();
const watchedClasses = new WeakSet<object>();

type OutgoingListener = (...args: unknown[]) => void;
interface Class {
  [name: string]: unknown;
}

/** Serves an adapter from now on; false if it is not derived from the in-memory one. */
export function serve(adapter: IoAdapter, members: Members): boolean {
  const found = inMemory(adapter);
  if (!found) return false;
  const { base, above } = found;
  if (!isLayer.has(base)) {
    let layer = layers.get(base);
    if (!layer) {
      layer = layerOver(base as IoAdapter);
      layers.set(base, layer);
      isLayer.add(layer);
    }
    Object.setPrototypeOf(above, layer);
  }
  served.set(adapter, members);
  return true;
}

/** The prototype of the in-memory class, and what is right above it: a derived class, or the adapter. */
function inMemory(adapter: object): { base: object; above: object } | undefined {
  let found: { base: object; above: object } | undefined;
  let above = adapter;
  for (let base = Object.getPrototypeOf(above); base; above = base, base = Object.getPrototypeOf(base)) {
    if (isLayer.has(base)) return { base, above };
    if (['addAll', 'delAll', 'broadcast', 'apply'].every((name) => Object.hasOwn(base, name))) found = { base, above };
  }
  return found;
}

function layerOver(base: IoAdapter): object {
  const layer: Partial<IoAdapter> & ThisType<IoAdapter> = {
    addAll(id, rooms) {
      const done = base.addAll.call(this, id, rooms);
      const members = served.get(this);
      if (members) {
        const socket = this.nsp.sockets.get(id);
        if (socket) watchClass(socket);
        members.join(id, rooms);
      }
      return done;
    },

    del(id, room) {
      const done = base.del.call(this, id, room);
      served.get(this)?.leave(id, room);
      return done;
    },

    delAll(id) {
      const done = base.delAll.call(this, id);
      served.get(this)?.remove(id);
      return done;
    },

    broadcast(packet, options) {
      const members = served.get(this);
      if (!members?.complete) return base.broadcast.call(this, packet, options);
      packet.nsp = this.nsp.name;
      const frames = this.encoder.encode(packet).map(frameOf);
      if (!sendable(frames)) return base.broadcast.call(this, packet, options);
      if (members.observed) this.apply(options, (socket) => show(socket, packet, frames, options));
      members.publish(frames, options);
    },

    broadcastWithAck(packet, options, clientCount, ack) {
      const members = served.get(this);
      if (!members?.complete) return base.broadcastWithAck.call(this, packet, options, clientCount, ack);
      packet.nsp = this.nsp.name;
      // All recipients get the same id; a namespace counts ids for all its sockets.
      packet.id = this.nsp._ids++;
      const frames = this.encoder.encode(packet).map(frameOf);
      if (!sendable(frames)) return base.broadcastWithAck.call(this, packet, options, clientCount, ack);
      let count = 0;
      const { observed } = members;
      this.apply(options, (socket) => {
        count += 1;
        socket.acks.set(packet.id as number, ack);
        if (observed) show(socket, packet, frames, options);
      });
      members.publish(frames, options);
      clientCount(count);
    },
  };
  return Object.setPrototypeOf(layer, base);
}

/** Whether the core can send the frames as one packet: a text with binary frames after it, or one binary frame. */
function sendable(frames: Frame[]): boolean {
  return frames.every((frame, at) => (typeof frame === 'string' ? at === 0 : at > 0 || frames.length === 1));
}

/** Emits an outgoing packet on a socket and its connection. */
function show(socket: IoSocket, packet: Packet, frames: Frame[], { flags = {} }: BroadcastOptions): void {
  socket.notifyOutgoingListeners?.(packet);
  const { conn } = socket;
  if (!(conn instanceof EngineSocket) || !(conn._watched || conn.server._watchesAll)) return;
  for (const frame of frames) conn._created(frame, { volatile: flags.volatile, compress: flags.compress });
}

/** Wraps the methods of a class of sockets that add listeners of outgoing messages. */
function watchClass(socket: IoSocket): void {
  const own = Object.getPrototypeOf(socket) as Class;
  if (watchedClasses.has(own)) return;
  watchedClasses.add(own);
  for (const name of ['onAnyOutgoing', 'prependAnyOutgoing']) {
    const original = own[name] as ((this: IoSocket, listener: OutgoingListener) => unknown) | undefined;
    if (typeof original !== 'function') continue;
    own[name] = function (this: IoSocket, listener: OutgoingListener) {
      served.get(this.adapter)?.listen(this.id);
      return original.call(this, listener);
    };
  }
}
