// `socket.conn` of the Server door: engine.io's socket, with the connection in the core.
import type { IncomingMessage } from 'node:http';
import type { Engine } from '../engine/engine';
import { ConnectionTransport } from '../engine/transport';
import { OF_SOCKET_IO } from '../generated/codes';
import type { EngineRequest } from '../http/request';
import { RawConnection } from './raw-connection';
import type { ConnectionLink } from './raw-connection';
import type { DisconnectReason } from './socket-types';

/**
 * The connection of a client: engine.io's socket. Emits `upgrade` with the transport and `close` with the reason. Per
 * packet it emits `packet`, `data`, `message` and `heartbeat` for incoming ones, and `packetCreate`, `flush` and
 * `drain` for outgoing ones.
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
  /** Always `false`: the core does not report probes. */
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

  /** Always empty: packets wait in the core. */
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

  /** The connection ended. `close` is emitted when its sockets have ended too. @internal */
  _over(): void {
    this.readyState = 'closed';
    this.over();
  }

  /** @internal */
  _closed(reason: DisconnectReason, description?: Error): void {
    if (this.told) return;
    this.told = true;
    this._over();
    this.emit('close', OF_SOCKET_IO.has(reason) ? 'forced close' : reason, description);
  }
}
