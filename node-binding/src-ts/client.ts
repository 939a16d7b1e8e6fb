// Clients and their connections, as objects: made only for applications that ask for `socket.client` or
// `socket.conn`, or when one client has sockets in several namespaces.
import type { IncomingMessage } from 'node:http';
import type { Commands } from './commands';
import { RawConnection } from './raw-connection';
import type { ConnectionLink } from './raw-connection';
import type { EngineRequest } from './request';
import type { Run } from './run';
import type { Server } from './server';
import type { Socket } from './socket';
import type { DisconnectReason, SocketId } from './socket-types';

type AnySocket = Socket<any, any, any, any>;

/** The transport under a connection. */
export interface ConnectionTransport {
  /** `polling` or `websocket`. */
  name: string;
  /** The core takes whatever is sent. */
  writable: boolean;
}

/**
 * The connection of a client: engine.io's socket. Emits `upgrade` with the transport, and `close` with the reason, and
 * to those who listen each packet: `packet`, `data`, `message` and `heartbeat` of what came, `packetCreate`, `flush` and
 * `drain` of what goes.
 */
export class Connection extends RawConnection {
  /** `open` or `closed`. */
  readyState: 'open' | 'closed' = 'open';
  /** Engine.IO protocol, 3 or 4. */
  readonly protocol: number;
  /** Address of the peer. */
  readonly remoteAddress: string;
  /** The request that opened the connection. */
  readonly request: IncomingMessage;
  /** The transport in use. */
  transport: ConnectionTransport;
  /** Polling became WebSocket. */
  upgraded = false;
  /** Always `false`: a probe is the core's own affair. */
  readonly upgrading = false;

  /** @internal */
  constructor(
    /** The session id for those who listened to `io.engine`, else a number for logs. */
    readonly id: string,
    request: EngineRequest,
    link: ConnectionLink,
    seen?: IncomingMessage,
  ) {
    super(link);
    this.request = seen ?? (request as unknown as IncomingMessage);
    this.protocol = request.protocol;
    this.remoteAddress = request.socket.remoteAddress;
    this.transport = { name: request.transport, writable: true };
  }

  /** Closes the connection. */
  close(): void {
    if (this.readyState === 'open') this.link.end();
  }

  /** Polling became WebSocket. @internal */
  _upgrade(): void {
    if (this.upgraded) return;
    this.upgraded = true;
    this.transport = { ...this.transport, name: 'websocket' };
    this.emit('upgrade', this.transport);
  }

  /** @internal */
  _closed(reason: DisconnectReason): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.transport.writable = false;
    this.over();
    this.emit('close', reason);
  }
}

/** One client: its connection, and its sockets by namespace. */
export class Client {
  /** The connection. */
  readonly conn: Connection;
  /** The sockets that have an object. @internal */
  readonly _sockets: Map<SocketId, AnySocket> = new Map();

  /** @internal */
  constructor(
    /** The server. */
    readonly server: Server<any, any, any, any>,
    first: AnySocket,
    known: Connection | undefined,
  ) {
    this._sockets.set(first.id, first);
    this.conn = known ?? server._clients.connection(first._conn, String(first._conn), first._engineRequest);
    if (first._upgraded) this.conn._upgrade();
  }

  /** Sockets by id, one per namespace. */
  get sockets(): Map<SocketId, AnySocket> {
    for (const namespace of this.server._nsps.values()) namespace._look();
    return this._sockets;
  }

  /** The connection ends, and with it all sockets. @internal */
  _ended(reason: DisconnectReason): void {
    for (const socket of [...this._sockets.values()]) socket._onclose(reason);
    this.conn._closed(reason);
  }

  /** The request that opened the connection. */
  get request(): IncomingMessage {
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
  /** Connections that listeners of `io.engine` were shown. */
  private readonly shown = new Map<number, Connection>();
  /** Connections that somebody looks into. */
  private readonly watched = new Map<number, Connection>();

  constructor(
    private readonly server: Server<any, any, any, any>,
    private readonly run: Run | undefined,
  ) {}

  /** The way to the core, while it takes commands. */
  private get commands(): Commands | undefined {
    return this.run && !this.run.closing ? this.run.commands : undefined;
  }

  /** Connections with at least one socket. */
  get size(): number {
    return this.byConnection.size;
  }

  add(socket: AnySocket): void {
    socket._seen = this.shown.get(socket._conn)?.request;
    const known = this.byConnection.get(socket._conn);
    if (known) {
      const client = known instanceof Client ? known : this.client(known);
      client._sockets.set(socket.id, socket);
    } else if (this.shown.has(socket._conn)) {
      this.client(socket);
    } else {
      this.byConnection.set(socket._conn, socket);
    }
  }

  /** Makes the object of a connection. */
  connection(number: number, id: string, request: EngineRequest, seen?: IncomingMessage): Connection {
    const link: ConnectionLink = {
      end: () => {
        this.commands?.closeConnection(number);
        this.end(number);
      },
      watch: (on) => {
        if (on) this.watched.set(number, made);
        else this.watched.delete(number);
        this.commands?.watch(number, on);
      },
      send: (data, flags) => this.commands?.send(number, data, flags),
      notify: (message) => this.commands?.notify(number, message),
    };
    const made = new Connection(id, request, link, seen);
    return made;
  }

  /** A connection that somebody looks into. */
  lookedInto(number: number): Connection | undefined {
    return this.watched.get(number);
  }

  /** A connection is shown before its client has joined anything. */
  show(number: number, connection: Connection): void {
    this.shown.set(number, connection);
  }

  /** We end a connection. */
  end(number: number): void {
    const known = this.byConnection.get(number);
    if (known instanceof Client) known._ended('forced close');
    else known?._onclose('forced close');
    this.closed(number, 'forced close');
  }

  /** A connection that may have been shown is over. */
  closed(number: number, reason: DisconnectReason): void {
    this.shown.get(number)?._closed(reason);
    this.shown.delete(number);
    this.watched.get(number)?._closed(reason);
    this.watched.delete(number);
  }

  remove(socket: AnySocket): void {
    const known = this.byConnection.get(socket._conn);
    if (known === socket) {
      this.byConnection.delete(socket._conn);
    } else if (known instanceof Client) {
      known._sockets.delete(socket.id);
      if (known._sockets.size === 0) this.byConnection.delete(socket._conn);
    }
  }

  /** The client of a socket. */
  of(socket: AnySocket): Client {
    const known = this.byConnection.get(socket._conn);
    if (known instanceof Client) return known;
    return known === socket ? this.client(socket) : new Client(this.server, socket, undefined);
  }

  /** The client of a socket, if it was ever made. */
  known(socket: AnySocket): Client | undefined {
    const known = this.byConnection.get(socket._conn);
    return known instanceof Client ? known : undefined;
  }

  /** A connection left polling. */
  upgraded(connection: number): void {
    const known = this.byConnection.get(connection);
    if (known instanceof Client) known.conn._upgrade();
    else if (known) known._upgraded = true;
    this.shown.get(connection)?._upgrade();
  }

  private client(socket: AnySocket): Client {
    const client = new Client(this.server, socket, this.shown.get(socket._conn));
    this.byConnection.set(socket._conn, client);
    return client;
  }
}
