// `socket.conn.transport` of both doors: what can be read of engine.io's transport. The transport itself is the core's.
import type { IncomingMessage } from 'node:http';

/** The peer, as code that reaches for `transport.socket._socket` reads it. */
export interface TransportPeer {
  readonly remoteAddress: string | undefined;
  /** Not of a WebSocket that polling became: the core has that connection to itself. */
  readonly remotePort: number | undefined;
  readonly encrypted: boolean;
}

/** Whose transport it is. */
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

  /** Messages are taken. What `volatile` asks is the core's to say, when the message reaches it. */
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

  /** In the place of the WebSocket: who is behind it. */
  get socket(): { readonly _socket: TransportPeer } | undefined {
    if (this.name !== 'websocket') return undefined;
    const { upgraded, remoteAddress, request } = this.owner;
    const { remotePort, encrypted } = request.socket as Partial<TransportPeer>;
    return { _socket: { remoteAddress, remotePort: upgraded ? undefined : remotePort, encrypted: encrypted === true } };
  }
}
