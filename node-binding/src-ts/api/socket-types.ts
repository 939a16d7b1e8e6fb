// Names and types of a socket that several files share.
import type { IncomingHttpHeaders } from 'node:http';
import type { ParsedUrlQuery } from 'node:querystring';
import { coded } from '../native/error';
import type { DisconnectReason } from '../generated/codes';

export type { DisconnectReason };

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

/** Names that can't be emitted to a client. */
export const RESERVED_EVENTS: ReadonlySet<string | symbol> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

/** Throws what socket.io throws for a reserved name. */
export function refuseReserved(name: unknown): void {
  if (RESERVED_EVENTS.has(name as string)) {
    throw coded('ERR_KRAKEN_WS_NAME', new Error(`"${String(name)}" is a reserved event name`));
  }
}

/** Name of a room. */
export type Room = string;
/** Public id of a socket: 20 characters, or of an Engine.IO 3 client the namespace and its session id. */
export type SocketId = string;
/** An incoming event: name and arguments. */
export type Event = [string, ...any[]];

/** The request with which a client connected. An ordinary object: applications hang their user on it. */
export interface Handshake {
  /** Request headers, names in lower case. */
  headers: IncomingHttpHeaders;
  /** When the client connected, as text. */
  time: string;
  /** Address of the client. */
  address: string;
  /** The request came from another origin. */
  xdomain: boolean;
  /** The connection is encrypted. */
  secure: boolean;
  /** When the client connected, in milliseconds since the epoch. */
  issued: number;
  /** Path and query of the request. */
  url: string;
  /** Query of the request. */
  query: ParsedUrlQuery;
  /** What the client gave as `auth`. */
  auth: { [key: string]: any };
}

/** Bits of the `flags` argument of native calls. */
export const VOLATILE = 1;
export const NO_COMPRESS = 2;
export const LOCAL = 4;

/** What socket.io passes when nobody acknowledged in time. */
export function timeoutError(): Error {
  return new Error('operation has timed out');
}
