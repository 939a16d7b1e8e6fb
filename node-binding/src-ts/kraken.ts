// The application's five calls. They work on whatever server they are given (ours, socket.io's, a test's
// mock), say `false` and log when that fails, and never throw.
import { Namespace } from './namespace';
import { hasBinary } from './payload';
import { Server } from './server';
import { RESERVED_EVENTS } from './socket-types';

/** What a server has to have for the calls that are made on it. */
export interface ServerLike {
  to?(room: string): { emit(event: string, ...args: any[]): unknown };
  in?(room: string): { socketsJoin?(rooms: string | string[]): void; socketsLeave?(rooms: string | string[]): void };
  emit?(event: string, ...args: any[]): unknown;
}

let current: ServerLike | null | undefined;

/** Sets the server that the other calls use; may be changed at any time. */
export function setServer(server: ServerLike | Server<any, any, any, any> | null | undefined): void {
  current = server as ServerLike | null | undefined;
}

/** The namespace of our own server, if it still does what ours does (tests replace its methods). */
function ownNamespace(): Namespace<any, any, any, any> | undefined {
  const server: unknown = current;
  if (server instanceof Server && server.to === Server.prototype.to) return server.sockets;
  if (server instanceof Namespace && server.to === Namespace.prototype.to && !server._standsFor) return server;
  return undefined;
}

/** Our own server after `close`: sending does nothing then, and does not say so. */
function isClosed(server: unknown): boolean {
  const own = server instanceof Namespace ? server.server : server;
  return own instanceof Server && own._closed;
}

function attempt(what: string, act: (server: ServerLike) => void): boolean {
  if (!current) {
    console.error(`kraken-ws-native: ${what} failed: no server is set, call setServer(server) first`);
    return false;
  }
  if (isClosed(current)) {
    console.error(`kraken-ws-native: ${what} failed: the server is closed`);
    return false;
  }
  try {
    act(current);
    return true;
  } catch (err) {
    console.error(`kraken-ws-native: ${what} failed:`, err);
    return false;
  }
}

/** Sends an event to everybody in a room. `true` when it was handed over. */
export function sendToRoom(room: string, event: string, payload?: unknown): boolean {
  return attempt('sendToRoom', (server) => {
    const namespace = ownNamespace();
    const plain =
      namespace?._native !== undefined &&
      namespace._outgoingWatchers === 0 &&
      typeof room === 'string' &&
      typeof payload !== 'function' &&
      !RESERVED_EVENTS.has(event) &&
      !hasBinary(payload);
    if (plain) namespace._native!.publishRoom(namespace._number, room, JSON.stringify([event, payload]), 0);
    else server.to!(room).emit(event, payload);
  });
}

/** Sends an event to everybody. `true` when it was handed over. */
export function sendToAll(event: string, payload?: unknown): boolean {
  return attempt('sendToAll', (server) => {
    server.emit!(event, payload);
  });
}

/** Puts everybody of a room into one or more others. */
export function joinSocketsToRoom(sourceRoom: string, rooms: string | string[]): boolean {
  return attempt('joinSocketsToRoom', (server) => {
    server.in!(sourceRoom).socketsJoin!(rooms);
  });
}

/** Takes everybody of a room out of one or more others. */
export function removeSocketsFromRoom(sourceRoom: string, rooms: string | string[]): boolean {
  return attempt('removeSocketsFromRoom', (server) => {
    server.in!(sourceRoom).socketsLeave!(rooms);
  });
}
