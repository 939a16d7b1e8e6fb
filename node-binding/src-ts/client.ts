// Clients and their connections, as objects: made only for applications that ask for `socket.client` or
// `socket.conn`, or when one client has sockets in several namespaces.
import { EventEmitter } from 'node:events';
import type { EngineRequest } from './request';
import type { Server } from './server';
import type { Socket } from './socket';
import type { DisconnectReason, SocketId } from './socket-types';

type AnySocket = Socket<any, any, any, any>;

/** The connection of a client: the readable part of engine.io's socket. Emits `upgrade`, and `close` with the reason. */
export class Connection extends EventEmitter {
  /** `open` or `closed`. */
  readyState: 'open' | 'closed' = 'open';
  /** Engine.IO protocol, 3 or 4. */
  readonly protocol: number;
  /** Address of the peer. */
  readonly remoteAddress: string;
  /** The transport in use. */
  transport: { name: string };

  /** @internal */
  constructor(
    /** A number for logs; the session id is a secret of client and core. */
    readonly id: string,
    /** The request that opened the connection. */
    readonly request: EngineRequest,
    private readonly end: () => void,
  ) {
    super();
    this.protocol = request.protocol;
    this.remoteAddress = request.socket.remoteAddress;
    this.transport = { name: request.transport };
  }

  /** Closes the connection. */
  close(): void {
    if (this.readyState === 'open') this.end();
  }

  /** Polling became WebSocket. @internal */
  _upgraded(): void {
    this.transport = { name: 'websocket' };
    this.emit('upgrade', this.transport);
  }

  /** @internal */
  _closed(reason: DisconnectReason): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.emit('close', reason);
  }
}

/** One client: its connection, and its sockets by namespace. */
export class Client {
  /** Sockets by id. */
  readonly sockets: Map<SocketId, AnySocket> = new Map();
  /** The connection. */
  readonly conn: Connection;

  /** @internal */
  constructor(
    readonly server: Server<any, any, any, any>,
    first: AnySocket,
  ) {
    this.sockets.set(first.id, first);
    const upgraded = first._upgraded;
    this.conn = new Connection(String(first._conn), first.request, () => {
      const [socket] = this.sockets.values();
      socket?.nsp._native?.closeConnection(socket._handle);
      this._ended('forced close');
    });
    if (upgraded) this.conn.transport = { name: 'websocket' };
  }

  /** The connection ends, and with it all sockets. @internal */
  _ended(reason: DisconnectReason): void {
    for (const socket of [...this.sockets.values()]) socket._onclose(reason);
    this.conn._closed(reason);
  }

  /** The request that opened the connection. */
  get request(): EngineRequest {
    return this.conn.request;
  }

  /** Same as `conn.id`. */
  get id(): string {
    return this.conn.id;
  }
}

/** Which sockets share a connection. A lone socket stands for itself. */
export class Clients {
  private readonly byConnection = new Map<number, AnySocket | Client>();

  constructor(private readonly server: Server<any, any, any, any>) {}

  /** Connections with at least one socket. */
  get size(): number {
    return this.byConnection.size;
  }

  add(socket: AnySocket): void {
    const known = this.byConnection.get(socket._conn);
    if (!known) {
      this.byConnection.set(socket._conn, socket);
    } else {
      const client = known instanceof Client ? known : this.client(known);
      client.sockets.set(socket.id, socket);
    }
  }

  remove(socket: AnySocket): void {
    const known = this.byConnection.get(socket._conn);
    if (known === socket) {
      this.byConnection.delete(socket._conn);
    } else if (known instanceof Client) {
      known.sockets.delete(socket.id);
      if (known.sockets.size === 0) this.byConnection.delete(socket._conn);
    }
  }

  /** The client of a socket. */
  of(socket: AnySocket): Client {
    const known = this.byConnection.get(socket._conn);
    if (known instanceof Client) return known;
    return known === socket ? this.client(socket) : new Client(this.server, socket);
  }

  /** The client of a socket, if it was ever made. */
  known(socket: AnySocket): Client | undefined {
    const known = this.byConnection.get(socket._conn);
    return known instanceof Client ? known : undefined;
  }

  /** A connection left polling. */
  upgraded(connection: number): void {
    const known = this.byConnection.get(connection);
    if (known instanceof Client) known.conn._upgraded();
    else if (known) known._upgraded = true;
  }

  private client(socket: AnySocket): Client {
    const client = new Client(this.server, socket);
    this.byConnection.set(socket._conn, client);
    return client;
  }
}
