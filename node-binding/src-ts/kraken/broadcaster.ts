// The application's five calls. They work on any server (of this package, of socket.io, a mock of a test), return
// `false` and log when they fail, and never throw.
import { isClosed, sendPlainly } from '../api/plain-send';
import type { Server } from '../api/server';

/** The members of a server that the calls use. */
export interface ServerLike {
  to?(room: string): { emit(event: string, ...args: any[]): unknown };
  in?(room: string): { socketsJoin?(rooms: string | string[]): void; socketsLeave?(rooms: string | string[]): void };
  emit?(event: string, ...args: any[]): unknown;
}

/** The five calls on one server. */
export class Broadcaster {
  #current: ServerLike | null | undefined;
  readonly #log: (message: string, error?: unknown) => void;

  /** @param log gets what failed, and the error if there was one */
  constructor(log: (message: string, error?: unknown) => void) {
    this.#log = log;
  }

  /** Sets the server that the other calls use; may be changed at any time. */
  setServer(server: ServerLike | Server<any, any, any, any> | null | undefined): void {
    this.#current = server as ServerLike | null | undefined;
  }

  /** Sends an event to everybody in a room. `true` when it was handed over. */
  sendToRoom(room: string, event: string, payload?: unknown): boolean {
    return this.#attempt('sendToRoom', (server) => {
      if (!sendPlainly(server, room, event, payload)) server.to!(room).emit(event, payload);
    });
  }

  /** Sends an event to everybody. `true` when it was handed over. */
  sendToAll(event: string, payload?: unknown): boolean {
    return this.#attempt('sendToAll', (server) => {
      server.emit!(event, payload);
    });
  }

  /** Puts everybody of a room into one or more others. `true` when it was handed over. */
  joinSocketsToRoom(sourceRoom: string, rooms: string | string[]): boolean {
    return this.#attempt('joinSocketsToRoom', (server) => {
      server.in!(sourceRoom).socketsJoin!(rooms);
    });
  }

  /** Takes everybody of a room out of one or more others. `true` when it was handed over. */
  removeSocketsFromRoom(sourceRoom: string, rooms: string | string[]): boolean {
    return this.#attempt('removeSocketsFromRoom', (server) => {
      server.in!(sourceRoom).socketsLeave!(rooms);
    });
  }

  #attempt(what: string, act: (server: ServerLike) => void): boolean {
    if (!this.#current) {
      this.#log(`${what} failed: no server is set, call setServer(server) first`);
      return false;
    }
    if (isClosed(this.#current)) {
      this.#log(`${what} failed: the server is closed`);
      return false;
    }
    try {
      act(this.#current);
      return true;
    } catch (err) {
      this.#log(`${what} failed:`, err);
      return false;
    }
  }
}

const shared = new Broadcaster((message, ...error) => console.error(`kraken-ws-native: ${message}`, ...error));

/** Sets the server that the other calls use; may be changed at any time. */
export const setServer: Broadcaster['setServer'] = (server) => shared.setServer(server);

/** Sends an event to everybody in a room. `true` when it was handed over. */
export const sendToRoom: Broadcaster['sendToRoom'] = (room, event, payload) => shared.sendToRoom(room, event, payload);

/** Sends an event to everybody. `true` when it was handed over. */
export const sendToAll: Broadcaster['sendToAll'] = (event, payload) => shared.sendToAll(event, payload);

/** Puts everybody of a room into one or more others. */
export const joinSocketsToRoom: Broadcaster['joinSocketsToRoom'] = (sourceRoom, rooms) =>
  shared.joinSocketsToRoom(sourceRoom, rooms);

/** Takes everybody of a room out of one or more others. */
export const removeSocketsFromRoom: Broadcaster['removeSocketsFromRoom'] = (sourceRoom, rooms) =>
  shared.removeSocketsFromRoom(sourceRoom, rooms);
