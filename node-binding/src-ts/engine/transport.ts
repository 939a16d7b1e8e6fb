// `socket.conn.transport` of both doors: the readable part of engine.io's transport. The core has the transport itself.
import type { IncomingMessage } from 'node:http';

/** The peer, as code that reaches for `transport.socket._socket` reads it. */
export interface TransportPeer {
  readonly remoteAddress: string | undefined;
  /** `undefined` after an upgrade: JavaScript does not know the port of the new connection. */
  readonly remotePort: number | undefined;
  readonly encrypted: boolean;
}

/** The connection of a transport. */
export interface TransportOwner {
  readonly transport: ConnectionTransport;
  readonly readyState: string;
  readonly protocol: number;
  readonly upgraded: boolean;
  readonly remoteAddress: string | undefined;
  readonly request: Pick<IncomingMessage, 'socket'>;
}

/** The transport under a connection. */
export class ConnectionTransport {
  /** @internal */
  constructor(
    /** `polling` or `websocket`. */
    readonly name: string,
    private readonly owner: TransportOwner,
  ) {}

  /** The connection accepts messages. Whether a volatile message is dropped the core decides when it gets it. */
  get writable(): boolean {
    return this.readyState === 'open';
  }

  /** `open` or `closed`. */
  get readyState(): string {
    return this.owner.transport === this ? this.owner.readyState : 'closed';
  }

  /** Engine.IO protocol, 3 or 4. */
  get protocol(): number {
    return this.owner.protocol;
  }

  /** In place of the WebSocket: an object with its peer. */
  get socket(): { readonly _socket: TransportPeer } | undefined {
    if (this.name !== 'websocket') return undefined;
    const { upgraded, remoteAddress, request } = this.owner;
    const { remotePort, encrypted } = request.socket as Partial<TransportPeer>;
    return { _socket: { remoteAddress, remotePort: upgraded ? undefined : remotePort, encrypted: encrypted === true } };
  }
}
