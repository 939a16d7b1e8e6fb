// Options of `new Server`, as types. Defaults and accepted values are the core's table (`core/src/options/spec.rs`).
import type { IncomingMessage } from 'node:http';
import type { ClusterOptions } from './cluster-options';
import type { CorsOptions, CorsOptionsDelegate } from './cors';

/** What socket.io takes as an adapter: a class, or a function that makes one for a namespace. */
export type AdapterConstructor = (new (nsp: any) => any) | ((nsp: any) => any);

/** The cookie that carries the session id. */
export interface CookieOptions {
  name?: string;
  path?: string;
  domain?: string;
  httpOnly?: boolean;
  secure?: boolean;
  sameSite?: boolean | 'strict' | 'lax' | 'none';
  /** In seconds. */
  maxAge?: number;
  expires?: Date;
  partitioned?: boolean;
  priority?: 'low' | 'medium' | 'high';
}

/** The option `connectionStateRecovery`, complete. */
export interface ConnectionStateRecoveryOptions {
  /** How long a client may stay away, in milliseconds. Default 120000. */
  maxDisconnectionDuration: number;
  /** Recovered sockets do not pass the namespace's middlewares again. Default `true`. */
  skipMiddlewares: boolean;
}

/** Options of a server. Times are in milliseconds, sizes in bytes. */
export interface ServerOptions {
  /** HTTP path. Default `/socket.io`. */
  path: string;
  /** Expect a slash behind the path, as clients send it. Default `true`. */
  addTrailingSlash: boolean;
  /** Allowed transports. Default both. */
  transports: ('polling' | 'websocket')[];
  /** Polling sessions may upgrade to WebSocket. Default `true`. */
  allowUpgrades: boolean;
  /** Accept clients of Engine.IO 3 (socket.io-client 2). Default `false`. */
  allowEIO3: boolean;
  /** Time between heartbeats. Default 25000. */
  pingInterval: number;
  /** How long a client may take to answer a heartbeat. Default 20000. */
  pingTimeout: number;
  /** How long an upgrade may take. Default 10000. */
  upgradeTimeout: number;
  /** A client that joins no namespace in this time is closed. Default 45000. */
  connectTimeout: number;
  /** Largest message from a client. Default 1000000. */
  maxHttpBufferSize: number;
  /** WebSocket compression. Default `false`. Of the options of `ws` only `threshold` has an effect. */
  perMessageDeflate: boolean | { threshold?: number; [option: string]: unknown };
  /** Compression of polling responses. Default `true`. */
  httpCompression: boolean | { threshold?: number; [option: string]: unknown };
  /** Cookie with the session id. Default none. */
  cookie: boolean | CookieOptions;
  /** Cross-origin rules, or a function that gives them for each request. Default none. */
  cors: CorsOptions | CorsOptionsDelegate | boolean;
  /** Decides about each handshake: `callback(message)` refuses, `callback(null, true)` allows. */
  allowRequest: (
    req: IncomingMessage,
    callback: (err: string | null | undefined, success: boolean) => void,
  ) => void;
  /** Serve the client's bundles. Default `true`. */
  serveClient: boolean;
  /** Clients that come back in time get their id, rooms, data and the messages they missed. Default off. */
  connectionStateRecovery: Partial<ConnectionStateRecoveryOptions>;
  /** Bytes of messages and sessions kept for clients that may come back. Default 16 MiB. */
  maxRecoveryBytes: number;
  /** Text of an Engine.IO message for each new connection, before anything else. Default none. */
  initialPacket: string;
  /** Packet parser, by name or as the module that clients use; must be the clients' too. Default `default`. */
  parser: 'default' | 'msgpack' | object;
  /** The other nodes of the fleet, and where Redis is. Default none: this server's rooms are its own. */
  cluster: ClusterOptions;
  /** An in-memory adapter, or one over Redis, which becomes `cluster`; others are refused. */
  adapter: AdapterConstructor;
  /** Has no effect: the core implements WebSocket. */
  wsEngine: unknown;
  /** Remove a child namespace when its last socket leaves. Default `false`. */
  cleanupEmptyChildNamespaces: boolean;
  /** Close upgrades on other paths that no listener handles. Default `true`. */
  destroyUpgrade: boolean;
  /** How long such an upgrade may wait for a listener. Default 1000. */
  destroyUpgradeTimeout: number;
  /** Address to listen on when the server is made from a port. Default: all. */
  host: string;
  /** Serve TLS on the own listener; PEM. */
  tls: { cert: string | Buffer; key: string | Buffer };
  /** Threads that own connections. Default 0: one per core. */
  shards: number;
  /** Bytes that may wait for a client that takes none of them; above, it has `outboxTimeout` to take some. Default 1 MiB. */
  maxOutboxBytes: number;
  /** A client that takes nothing for this long, while more than `maxOutboxBytes` waits, is closed. Default 10 000. */
  outboxTimeout: number;
  /** Bytes that may wait for one client in any case. Default 64 MiB. */
  hardOutboxBytes: number;
  /**
   * Bytes that may wait for all clients together, a message for many once; beyond, those that take least are closed.
   * Default 0: a quarter of memory.
   */
  totalOutboxBytes: number;
  /** Collect packets for this long before writing. Default 0. */
  flushIntervalMs: number;
  /** Events of one connection that may wait for JavaScript before it is not read from. Default 256. */
  maxPendingEvents: number;
  /** Bytes of events that may wait for JavaScript before reading stops. Default 16 MiB. */
  hostQueueBytes: number;
  /** Bytes of outgoing messages that may wait for a thread; above, sends throw. Default 256 MiB. */
  commandQueueBytes: number;
  /**
   * Bytes of answers to broadcasts with acknowledgements, and of other nodes, that may be collected at a time; others count
   * as missing. Default 64 MiB.
   */
  maxAnswerBytes: number;
  /** Namespaces that one client may join. Default 64. */
  maxNamespaces: number;
  /** How long a request head may take. Default 10000. */
  headersTimeoutMs: number;
  /** How long a request body may take. Default 300000. */
  requestTimeoutMs: number;
  /** How long an HTTP connection stays open that is idle, or whose client takes nothing of an answer. Default 60000. */
  keepAliveTimeoutMs: number;
  /** Largest request head. Default 16384. */
  maxHeaderBytes: number;
  /** Connections that may wait in the kernel. Default 1024. */
  backlog: number;
  /** Refuse names that no option has, instead of a warning. Default `false`. */
  strictOptions: boolean;
}
