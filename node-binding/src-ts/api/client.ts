// Clients and their connections, as objects: made only for applications that ask for `socket.client` or
// `socket.conn`, or when one client has sockets in several namespaces.
import type { IncomingMessage } from 'node:http';
import type { Commands } from './commands';
import { guarded } from '../native/guarded';
import type { Engine } from '../engine/engine';
import { hearEnds } from '../engine/questions';
import { RawConnection } from './raw-connection';
import type { ConnectionLink } from './raw-connection';
import type { EngineRequest } from '../http/request';
import type { NativeSession } from './native-session';
import type { Server } from './server';
import type { Socket } from './socket';
import type { DisconnectReason, SocketId } from './socket-types';
import { ConnectionTransport } from '../engine/transport';

export type { ConnectionTransport } from '../engine/transport';

type AnySocket = Socket<any, any, any, any>;

/** Reasons that Socket.IO has for its sockets: engine.io calls them all the same. */
const OF_SOCKETS: ReadonlySet<DisconnectReason> = new Set([
  'client namespace disconnect',
  'server namespace disconnect',
  'server shutting down',
  'forced server close',
]);

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
  /** `close` was emitted. */
  private told = false;

  /** @internal */
  constructor(
    /** The session id where `io.engine` has listeners of connections, hooks or middlewares, else a number for logs. */
    readonly id: string,
    request: EngineRequest,
    link: ConnectionLink,
    seen?: IncomingMessage,
  ) {
    super(link);
    this.request = seen ?? (request as unknown as IncomingMessage);
    this.protocol = request.protocol;
    this.remoteAddress = request.socket.remoteAddress;
    this.transport = new ConnectionTransport(request.transport, this);
  }

  /** `io.engine`. */
  get server(): Engine {
    return this.link.server;
  }

  /** Always empty: what waits for the client waits in the core. */
  get writeBuffer(): object[] {
    return [];
  }

  /** Closes the connection. */
  close(): void {
    if (this.readyState === 'open') this.link.end();
  }

  /** Polling became WebSocket. @internal */
  _upgrade(): void {
    if (this.upgraded) return;
    this.upgraded = true;
    this.transport = new ConnectionTransport('websocket', this);
    this.emit('upgrade', this.transport);
  }

  /** Nothing comes or goes any more; `close` is told when the sockets are done. @internal */
  _over(): void {
    this.readyState = 'closed';
    this.over();
  }

  /** @internal */
  _closed(reason: DisconnectReason, description?: Error): void {
    if (this.told) return;
    this.told = true;
    this._over();
    this.emit('close', OF_SOCKETS.has(reason) ? 'forced close' : reason, description);
  }
}

/** One client: its connection, and its sockets by namespace. */
export class Client {
  /** The sockets that have an object. @internal */
  readonly _sockets: Map<SocketId, AnySocket> = new Map();

  /** @internal */
  constructor(
    /** The server. */
    readonly server: Server<any, any, any, any>,
    /** The connection. */
    readonly conn: Connection,
    first: AnySocket,
  ) {
    this._take(first);
    if (first._upgraded) this.conn._upgrade();
  }

  /** A socket of this client. @internal */
  _take(socket: AnySocket): void {
    socket._client = this;
    socket._seen = this.conn.request;
    this._sockets.set(socket.id, socket);
  }

  /** Sockets by id, one per namespace. */
  get sockets(): Map<SocketId, AnySocket> {
    for (const namespace of this.server._nsps.values()) namespace._look();
    return this._sockets;
  }

  /** The connection ends, and with it all sockets. @internal */
  _ended(reason: DisconnectReason): void {
    for (const socket of [...this._sockets.values()]) guarded(() => socket._onclose(reason));
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

/** The `id` of a connection that is shown to nobody in particular. */
const NUMBER = /^\d+$/;

/** Which sockets share a connection. A lone socket stands for itself. */
export class Clients {
  private readonly byConnection = new Map<number, AnySocket | Client>();
  /** Connections that have an object, until they are closed. */
  private readonly made = new Map<number, Connection>();
  /** The same by their `id`. */
  private readonly byId = new Map<string, Connection>();
  /** Connections whose end the core will surely tell. */
  private readonly heard = new Set<number>();

  constructor(
    private readonly server: Server<any, any, any, any>,
    private readonly session: NativeSession | undefined,
  ) {}

  /** The way to the core, while it takes commands. */
  private get commands(): Commands | undefined {
    return this.session && !this.session.closing ? this.session.commands : undefined;
  }

  /** Connections with at least one socket. */
  get size(): number {
    return this.byConnection.size;
  }

  add(socket: AnySocket): void {
    const known = this.byConnection.get(socket._conn);
    if (known) {
      const client = known instanceof Client ? known : this.client(known);
      client._take(socket);
    } else if (this.made.has(socket._conn)) {
      this.client(socket);
    } else {
      this.byConnection.set(socket._conn, socket);
    }
  }

  /** Makes the object of a connection. */
  connection(number: number, id: string, request: EngineRequest, seen?: IncomingMessage): Connection {
    const link: ConnectionLink = {
      server: this.server.engine,
      end: () => {
        this.commands?.closeConnection(number);
        this.end(number);
      },
      watch: (on) => this.commands?.watch(number, on),
      send: (data, flags) => this.commands?.send(number, data, flags),
      notify: (message) => this.commands?.notify(number, message),
    };
    return new Connection(id, request, link, seen);
  }

  /** A connection that somebody looks into. */
  lookedInto(number: number): Connection | undefined {
    return this.made.get(number);
  }

  /** A connection is shown before its client has joined anything. */
  show(number: number, connection: Connection): void {
    this.made.set(number, connection);
    this.byId.set(connection.id, connection);
  }

  /** The connection with that `id`. */
  find(id: string): Connection | undefined {
    const known = this.byId.get(id);
    if (known || !NUMBER.test(id)) return known;
    for (const namespace of this.server._nsps.values()) namespace._look();
    const number = Number(id);
    const lone = this.made.has(number) ? undefined : this.byConnection.get(number);
    return lone && (lone instanceof Client ? lone.conn : this.of(lone).conn);
  }

  /** All connections that have a socket or an object. */
  all(): Connection[] {
    for (const namespace of this.server._nsps.values()) namespace._look();
    for (const known of this.byConnection.values()) if (!(known instanceof Client)) this.of(known);
    return [...this.made.values()];
  }

  private connectionOf(socket: AnySocket): Connection {
    const { _conn: number } = socket;
    const known = socket._cut ? undefined : this.made.get(number);
    if (known) return known;
    const made = this.connection(number, String(number), socket._engineRequest);
    const { commands } = this;
    if (socket._cut || !commands) {
      made._over();
      return made;
    }
    this.show(number, made);
    hearEnds(this.server.engine);
    if (!this.heard.has(number)) {
      // It may have ended before anybody wanted to hear of that: then the core says so now.
      commands.watch(number, true);
      commands.watch(number, false);
    }
    return made;
  }

  /** A connection opened after somebody wanted to hear of ends. */
  hear(number: number): void {
    this.heard.add(number);
  }

  /** We end a connection. */
  end(number: number): void {
    this.made.get(number)?._over();
    const known = this.byConnection.get(number);
    if (known instanceof Client) known._ended('forced close');
    else known?._onclose('forced close');
    this.closed(number, 'forced close');
  }

  /** A connection is over, and so are its sockets. */
  closed(number: number, reason: DisconnectReason, description?: Error): void {
    const made = this.made.get(number);
    this.made.delete(number);
    if (made) this.byId.delete(made.id);
    this.heard.delete(number);
    made?._closed(reason, description);
  }

  /** All connections are. */
  closedAll(reason: DisconnectReason): void {
    for (const number of [...this.made.keys()]) guarded(() => this.closed(number, reason));
  }

  /** The connection of a socket is over; the socket is about to hear of it. */
  cut(socket: AnySocket): void {
    socket._cut = true;
    socket._client?.conn._over();
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
    if (socket._client) return socket._client;
    if (this.byConnection.get(socket._conn) === socket) return this.client(socket);
    // It has left.
    return new Client(this.server, this.connectionOf(socket), socket);
  }

  /** A connection left polling. */
  upgraded(connection: number): void {
    const known = this.byConnection.get(connection);
    if (known && !(known instanceof Client)) known._upgraded = true;
    this.made.get(connection)?._upgrade();
  }

  private client(socket: AnySocket): Client {
    const client = new Client(this.server, this.connectionOf(socket), socket);
    this.byConnection.set(socket._conn, client);
    return client;
  }
}
