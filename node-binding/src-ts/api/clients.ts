// The clients and connections of one server that have an object.
import type { IncomingMessage } from 'node:http';
import { hearEnds } from '../engine/questions';
import type { EngineRequest } from '../http/request';
import { guarded } from '../native/guarded';
import { Client } from './client';
import type { Commands } from './commands';
import { Connection } from './connection';
import type { NativeSession } from './native-session';
import type { ConnectionLink } from './raw-connection';
import type { Server } from './server';
import type { Socket } from './socket';
import type { DisconnectReason } from './socket-types';

type AnySocket = Socket<any, any, any, any>;

/** The `id` of a connection whose session id no hook or listener of `io.engine` has needed. */
const NUMBER = /^\d+$/;

/** The sockets of each connection. A client with one socket has no object until it is read. */
export class Clients {
  private readonly byConnection = new Map<number, AnySocket | Client>();
  /** Connections that have an object, until they are closed. */
  private readonly made = new Map<number, Connection>();
  /** The same by their `id`. */
  private readonly byId = new Map<string, Connection>();
  /** Connections that opened while the core reported connection-closed events. */
  private readonly heard = new Set<number>();

  constructor(
    private readonly server: Server<any, any, any, any>,
    private readonly session: NativeSession | undefined,
  ) {}

  /** The core's commands, while the core accepts any. */
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

  /** The object of a connection, if it has one. */
  lookedInto(number: number): Connection | undefined {
    return this.made.get(number);
  }

  /** Keeps the object of a connection, also before its client has joined a namespace. */
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
      // The connection may have ended before the subscription. Watching it makes the core report that now.
      commands.watch(number, true);
      commands.watch(number, false);
    }
    return made;
  }

  /** A connection opened, and the core will report its end. */
  hear(number: number): void {
    this.heard.add(number);
  }

  /** The application closes a connection. */
  end(number: number): void {
    this.made.get(number)?._over();
    const known = this.byConnection.get(number);
    if (known instanceof Client) known._ended('forced close');
    else known?._onclose('forced close');
    this.closed(number, 'forced close');
  }

  /** A connection ended; its sockets have ended before. */
  closed(number: number, reason: DisconnectReason, description?: Error): void {
    const made = this.made.get(number);
    this.made.delete(number);
    if (made) this.byId.delete(made.id);
    this.heard.delete(number);
    made?._closed(reason, description);
  }

  /** All connections ended. */
  closedAll(reason: DisconnectReason): void {
    for (const number of [...this.made.keys()]) guarded(() => this.closed(number, reason));
  }

  /** The connection of a socket ended; the socket is told next. */
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
    // The socket has ended and is not in the table.
    return new Client(this.server, this.connectionOf(socket), socket);
  }

  /** A connection moved from polling to WebSocket. */
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
