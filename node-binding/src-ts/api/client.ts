// `socket.client`: one client. A client gets an object when the application reads `socket.client` or `socket.conn`, or
// when it has sockets in several namespaces.
import type { IncomingMessage } from 'node:http';
import { guarded } from '../native/guarded';
import type { Connection } from './connection';
import type { Server } from './server';
import type { Socket } from './socket';
import type { DisconnectReason, SocketId } from './socket-types';

type AnySocket = Socket<any, any, any, any>;

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

  /** Adds a socket. @internal */
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
