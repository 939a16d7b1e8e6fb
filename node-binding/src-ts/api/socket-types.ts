// Names and types of a socket that several files share.
import type { DisconnectReason } from '../generated/codes';

export type { DisconnectReason } from '../generated/codes';
export type { Handshake } from '../http/request';

/** Events of a socket that are not the client's. */
export interface SocketReservedEventsMap {
  disconnect: (reason: DisconnectReason, description?: any) => void;
  disconnecting: (reason: DisconnectReason, description?: any) => void;
  error: (err: Error) => void;
}

/** Events that Node's EventEmitter emits itself. */
export interface EventEmitterReservedEventsMap {
  newListener: (eventName: string | symbol, listener: (...args: any[]) => void) => void;
  removeListener: (eventName: string | symbol, listener: (...args: any[]) => void) => void;
}

/** Name of a room. */
export type Room = string;
/** Public id of a socket: 20 characters, or of an Engine.IO 3 client the namespace and its session id. */
export type SocketId = string;
/** An incoming event: name and arguments. */
export type Event = [string, ...any[]];

/**
 * Marks sockets, on the prototype of their class. `RemoteSocket` asks for this mark: `instanceof Socket` would need the
 * class, whose file needs that of broadcasts.
 */
export const SOCKET = Symbol('kraken-ws-native.socket');

/** What socket.io passes when nobody acknowledged in time. */
export function timeoutError(): Error {
  return new Error('operation has timed out');
}
