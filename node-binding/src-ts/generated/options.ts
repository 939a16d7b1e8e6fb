// Written from tables in Rust by `make generated`; edits are lost.
import type { IncomingMessage } from 'node:http';
import type {
  AdapterConstructor,
  ConnectionStateRecoveryOptions,
  CookieOptions,
  CorsOptions,
  CorsOptionsDelegate,
  RedisPlace,
  RedisTls,
} from '../shapes/options';

/** The wire format, which has to be that of the other nodes. Times are in milliseconds, sizes in bytes. */
export interface ClusterFormat {
  /** `classic` for fleets of `createAdapter`, `sharded` for `createShardedAdapter` (Redis 7). Default `classic`. */
  mode?: 'classic' | 'sharded';
  /** First part of channel names: `key` and `channelPrefix` of the adapters. Default `socket.io`. */
  prefix?: string;
  /** Sharded: rooms with a channel of their own. Default `dynamic`. */
  subscriptionMode?: 'dynamic' | 'static' | 'dynamic-private';
  /** Native nodes only: messages carry an HMAC, and others are ignored. Default none. */
  secret?: string;
}

/** How to reach Redis. Times are in milliseconds, sizes in bytes. */
export interface RedisOptions {
  /**
   * Where Redis is. `redis://…`, `rediss://…`, `redis+unix://…`, `{ sentinel: { sentinels, master } }` or `{ cluster:
   * [urls] }`.
   */
  redis: RedisPlace;
  /** User of Redis' ACL; over that of the URL. Default none. */
  username?: string;
  /** Password for Redis; over that of the URL. Default none. */
  password?: string;
  /** Certificates and key, beyond what `rediss://` says. Default none. */
  tls?: RedisTls;
  /** Version of Redis' protocol. Default what is needed. */
  protocol?: 2 | 3;
  /** How long an attempt to connect, and an answer of Redis, may take. Default 5000, from 1 to 86400000. */
  redisTimeout?: number;
  /** Bytes of messages and requests that may wait for Redis. Default 16 MiB, from 64 KiB to 4 GiB. */
  queueBytes?: number;
  /** What goes when more than `queueBytes` would wait; it counts as lost. Default `drop-oldest`. */
  overflow?: 'drop-oldest' | 'drop-newest';
}

/**
 * The option `cluster`: the other nodes of the fleet, and where Redis is. Times are in milliseconds, sizes in bytes.
 */
export interface ClusterOptions extends ClusterFormat, RedisOptions {
  /** How long answers of other nodes are waited for. Default 5000, from 1 to 86400000. */
  requestsTimeout?: number;
  /** Classic: answer only to who asked. Default `false`. */
  publishOnSpecificResponseChannel?: boolean;
  /**
   * Start only with Redis, else fail with `REDIS`; the calling thread (in Node its event loop) waits up to
   * `redisTimeout`. Without it the server starts alone and joins when Redis comes. The error has the code
   * `ERR_KRAKEN_WS_REDIS`. Default `false`.
   */
  waitForRedis?: boolean;
}

/** Options of a server. Times are in milliseconds, sizes in bytes. */
export interface ServerOptions {
  /** HTTP path of the engine. Default `/socket.io`. */
  path: string;
  /** Expect `path/`, as clients send it. Default `true`. */
  addTrailingSlash: boolean;
  /** Allowed transports. Default both. */
  transports: ('polling' | 'websocket')[];
  /** Polling sessions may upgrade to WebSocket. Default `true`. */
  allowUpgrades: boolean;
  /** Accept Engine.IO 3 clients (socket.io-client 2). Default `false`. */
  allowEIO3: boolean;
  /** Time between heartbeats. Default 25000, from 1 to 86400000. */
  pingInterval: number;
  /** How long a client may take to answer a heartbeat. Default 20000, from 1 to 86400000. */
  pingTimeout: number;
  /** How long a transport upgrade may take. Default 10000, from 1 to 86400000. */
  upgradeTimeout: number;
  /** A client that joins no namespace in this time is closed. Default 45000, from 1 to 86400000. */
  connectTimeout: number;
  /** Largest message or POST body from a client. Default 1000000, from 1 to 1 GiB. */
  maxHttpBufferSize: number;
  /**
   * WebSocket compression (RFC 7692, no context takeover). Of the options of `ws` only `threshold` has an effect.
   * Default `false`.
   */
  perMessageDeflate: boolean | { threshold?: number; [option: string]: unknown };
  /** Gzip or deflate of polling responses. Of the options of zlib only `threshold` has an effect. Default `true`. */
  httpCompression: boolean | { threshold?: number; [option: string]: unknown };
  /** Cookie that carries the session id. Default none. */
  cookie: boolean | CookieOptions;
  /** Cross-origin rules. A function gives them for each request. Default none. */
  cors: CorsOptions | CorsOptionsDelegate | boolean;
  /** An Engine.IO message for each new connection, before anything else. Default none. */
  initialPacket: string;
  /** Packet parser, must equal the clients'. By name, or as the module that clients use. Default `default`. */
  parser: 'default' | 'msgpack' | object;
  /** Clients that come back in time get their id, rooms, data and what they missed. Default none. */
  connectionStateRecovery: Partial<ConnectionStateRecoveryOptions>;
  /**
   * Bytes of messages and sessions kept for clients that may come back; beyond, the oldest go. Default 16 MiB, from
   * 64 KiB to 4 GiB.
   */
  maxRecoveryBytes: number;
  /** Threads that own connections; 0 means one per core. Default 0, from 0 to 64. */
  shards: number;
  /**
   * Bytes that may wait for a client that takes none of them; above, it has `outboxTimeout` to take some. Default 1
   * MiB, from 1 KiB to 1 GiB.
   */
  maxOutboxBytes: number;
  /**
   * A client that takes nothing for this long, while more than `maxOutboxBytes` waits, is closed as a slow consumer.
   * Default 10000, from 1 to 86400000.
   */
  outboxTimeout: number;
  /**
   * Bytes that may wait for one client in any case; `maxOutboxBytes` if that is more. Default 64 MiB, from 1 KiB to
   * 16 GiB.
   */
  hardOutboxBytes: number;
  /**
   * Bytes that may wait for all clients together, a message for many once; beyond, those that take least are closed;
   * 0 means a quarter of memory. Default 0, from 0 to 1 TiB.
   */
  totalOutboxBytes: number;
  /** Collect packets for this long before writing; 0 writes at the end of the turn. Default 0, from 0 to 1000. */
  flushIntervalMs: number;
  /**
   * Events of one connection that may wait for the host before it is not read from. Default 256, from 1 to 1000000.
   */
  maxPendingEvents: number;
  /** Bytes of events that may wait for the host before reading stops. Default 16 MiB, from 64 KiB to 4 GiB. */
  hostQueueBytes: number;
  /**
   * Bytes of outgoing messages that may wait for a shard, each with a flat share; above, sends are refused. Default
   * 256 MiB, from 64 KiB to 16 GiB.
   */
  commandQueueBytes: number;
  /**
   * Bytes of answers to broadcasts with acks, and of other nodes, that may be collected at a time; others count as
   * missing. Default 64 MiB, from 64 KiB to 256 MiB.
   */
  maxAnswerBytes: number;
  /** Namespaces that one client may join or wait for. Default 64, from 1 to 1000000. */
  maxNamespaces: number;
  /** How long a request head may take. Default 10000, from 10 to 86400000. */
  headersTimeoutMs: number;
  /** How long a request body may take. Default 300000, from 10 to 86400000. */
  requestTimeoutMs: number;
  /**
   * How long an HTTP connection stays open that is idle, or whose client takes nothing of an answer. Default 60000,
   * from 10 to 86400000.
   */
  keepAliveTimeoutMs: number;
  /** Largest request head. Default 16 KiB, from 8 KiB to 1 MiB. */
  maxHeaderBytes: number;
  /** Connections that may wait in the kernel to be accepted. Default 1024, from 1 to 65535. */
  backlog: number;
  /** Serve TLS on the own listeners. Both are PEM. Default none. */
  tls: { cert: string | Buffer; key: string | Buffer };
  /** The other nodes of the fleet, and where Redis is. Without it this server's rooms are its own. Default none. */
  cluster: ClusterOptions;
  /** Names that no option has are refused; otherwise they are a warning. Default `false`. */
  strictOptions: boolean;
  /** Address to listen on when the server is made from a port. Default all addresses. */
  host: string;
  /**
   * `(req, callback)` decides about each handshake: `callback(null, true)` allows, `callback(message)` refuses.
   * Default none.
   */
  allowRequest: (req: IncomingMessage, callback: (err: string | null | undefined, success: boolean) => void) => void;
  /** Serve the bundles of socket.io-client: `/socket.io/socket.io.js` and seven more. Default `true`. */
  serveClient: boolean;
  /** Remove a child namespace when its last socket leaves. Default `false`. */
  cleanupEmptyChildNamespaces: boolean;
  /** End upgrades on the HTTP server that nobody took. Default `true`. */
  destroyUpgrade: boolean;
  /** How long to wait for somebody to take them. Default 1000. */
  destroyUpgradeTimeout: number;
  /** An in-memory adapter, or one over Redis, which becomes `cluster`; others are refused. Default in-memory. */
  adapter: AdapterConstructor;
  /** Without effect: the core implements WebSocket. Default none. */
  wsEngine: unknown;
}

/** Names of the options that are `bindNative`'s own. */
export type BridgeOption =
  | 'shards'
  | 'maxOutboxBytes'
  | 'outboxTimeout'
  | 'hardOutboxBytes'
  | 'totalOutboxBytes'
  | 'flushIntervalMs'
  | 'maxPendingEvents'
  | 'hostQueueBytes'
  | 'commandQueueBytes';

/** The same as a set. */
export const BRIDGE_OWN: ReadonlySet<string> = new Set([
  'shards',
  'maxOutboxBytes',
  'outboxTimeout',
  'hardOutboxBytes',
  'totalOutboxBytes',
  'flushIntervalMs',
  'maxPendingEvents',
  'hostQueueBytes',
  'commandQueueBytes',
]);

/** Options of engine.io that mean the same to the core. */
export const FROM_ENGINE = [
  'path',
  'addTrailingSlash',
  'transports',
  'allowUpgrades',
  'allowEIO3',
  'pingInterval',
  'pingTimeout',
  'upgradeTimeout',
  'maxHttpBufferSize',
  'perMessageDeflate',
  'httpCompression',
  'cookie',
] as const;

/** Options that the core never sees. */
export const JAVASCRIPT_ONLY: ReadonlySet<string> = new Set([
  'host',
  'allowRequest',
  'serveClient',
  'cleanupEmptyChildNamespaces',
  'destroyUpgrade',
  'destroyUpgradeTimeout',
  'adapter',
  'wsEngine',
]);
