// The parts of socket.io 4 that the bridge touches, some of them private there.
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** A `Server` of socket.io 4. */
export interface IoServer {
  engine?: IoEngine;
  eio?: unknown;
  httpServer?: HttpServer;
  readonly opts: Record<string, unknown>;
  readonly sockets: IoNamespace;
  readonly _nsps: Map<string, IoNamespace>;
  path(): string;
  bind(engine: unknown): unknown;
  initEngine(server: HttpServer, options: Record<string, unknown>): void;
  attachApp?: (...args: unknown[]) => void;
}

/** A `Server` of engine.io. */
export interface IoEngine extends EventEmitter {
  opts: Record<string, unknown>;
  clientsCount: number;
  middlewares?: unknown[];
  corsMiddleware?: unknown;
  generateId: unknown;
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** A `Namespace`. */
export interface IoNamespace {
  readonly name: string;
  readonly server: IoServer;
  readonly sockets: Map<string, IoSocket>;
  adapter: IoAdapter;
  _ids: number;
  _initAdapter(): void;
}

/** A `Socket`. */
export interface IoSocket {
  readonly id: string;
  readonly adapter: IoAdapter;
  readonly conn: object;
  readonly acks: Map<number, unknown>;
  _anyOutgoingListeners?: unknown[];
  notifyOutgoingListeners?(packet: Packet): void;
}

/** A packet on its way to the parser. */
export interface Packet {
  type: number;
  nsp: string;
  data: unknown;
  id?: number;
}

/** To whom a packet goes, and how. */
export interface BroadcastOptions {
  rooms: Set<unknown>;
  except?: Set<unknown>;
  flags?: { volatile?: boolean; compress?: boolean };
}

/** The in-memory `Adapter`, or what is derived from it. */
export interface IoAdapter {
  readonly nsp: IoNamespace;
  readonly sids: Map<string, Set<unknown>>;
  readonly encoder: { encode(packet: Packet): unknown[] };
  addAll(id: string, rooms: Set<unknown>): unknown;
  del(id: string, room: unknown): unknown;
  delAll(id: string): unknown;
  broadcast(packet: Packet, options: BroadcastOptions): void;
  broadcastWithAck(
    packet: Packet,
    options: BroadcastOptions,
    clientCount: (count: number) => void,
    ack: (...args: unknown[]) => void,
  ): void;
  apply(options: BroadcastOptions, visit: (socket: IoSocket) => void): void;
}
