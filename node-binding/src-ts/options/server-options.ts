// Options of `new Server`: what is JavaScript's stays here, the rest becomes the core's JSON. The core checks
// names and values and refuses by name.
import type { IncomingMessage } from 'node:http';
import { checkAdapter } from '../api/adapter-check';
import type { AdapterConstructor } from '../api/adapter-check';
import { plainCluster } from './cluster-options';
import type { ClusterOptions } from './cluster-options';
import { withoutPatterns } from './cors';
import type { CorsOptionsDelegate, CustomOrigin, StaticOrigin } from './cors';
import { coded } from '../native/error';
import { addon } from '../native/native';
import type { ConnectionStateRecoveryOptions } from '../api/recovery';

/** One origin, several, a pattern, `true` for whatever asks, or a function that decides. */
export type CorsOrigin = StaticOrigin | CustomOrigin;

/** Cross-origin rules, as the `cors` package names them. */
export interface CorsOptions {
  origin?: CorsOrigin;
  methods?: string | string[];
  allowedHeaders?: string | string[];
  exposedHeaders?: string | string[];
  credentials?: boolean;
  maxAge?: number;
  preflightContinue?: boolean;
  optionsSuccessStatus?: number;
}

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
  /** Rooms in memory, or an adapter over Redis, which becomes `cluster`; others are refused. */
  adapter: AdapterConstructor;
  /** Has no effect: WebSockets are the core's. */
  wsEngine: unknown;
  /** Remove a child namespace when its last socket leaves. Default `false`. */
  cleanupEmptyChildNamespaces: boolean;
  /** End upgrades that nobody took. Default `true`. */
  destroyUpgrade: boolean;
  /** How long to wait for somebody to take an upgrade. Default 1000. */
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

/** Options that the core never sees. */
const JAVASCRIPT_ONLY: ReadonlySet<string> = new Set([
  'allowRequest',
  'serveClient',
  'cleanupEmptyChildNamespaces',
  'destroyUpgrade',
  'destroyUpgradeTimeout',
  'host',
  'adapter',
  'wsEngine',
]);

function refuse(message: string): never {
  throw coded('ERR_KRAKEN_WS_OPTION', new Error(message));
}

/** Rules that a function gives are not the core's. */
function cors(value: unknown): unknown {
  if (value === true) return { origin: '*' };
  if (!value || typeof value !== 'object' || !('origin' in value)) return typeof value === 'function' ? undefined : value;
  return typeof value.origin === 'function' ? undefined : { ...value, origin: withoutPatterns(value.origin) };
}

/** `{ type: 0, nsp: '/' }` in msgpack: how its parser gives itself away. */
const MSGPACK_CONNECT = Buffer.from('82a47479706500a36e7370a12f', 'hex');

/** socket.io takes a parser module; of those there are two that the core has built in. */
function parser(value: unknown): unknown {
  if (value === undefined || typeof value === 'string') return value;
  const { Encoder } = value as { Encoder?: new () => { encode(packet: object): unknown[] } };
  const [first] = typeof Encoder === 'function' ? new Encoder().encode({ type: 0, nsp: '/' }) : [];
  if (first === '0') return 'default';
  if (first instanceof Uint8Array && Buffer.compare(first, MSGPACK_CONNECT) === 0) return 'msgpack';
  return refuse(
    'parser: expected "default", "msgpack", or the module of either; for a parser of your own keep socket.io and ' +
      'put the native engine under it: bindNative(io)',
  );
}

/** The option as the core takes it: dates as HTTP writes them, and no functions. */
export function cookie(value: unknown): unknown {
  if (!value || typeof value !== 'object') return value;
  const { expires, encode } = value as { expires?: unknown; encode?: unknown };
  if (encode !== undefined) refuse('cookie.encode: session ids need no encoding; leave it out');
  return expires instanceof Date ? { ...value, expires: expires.toUTCString() } : value;
}

function pem(value: unknown): unknown {
  if (!value || typeof value !== 'object') return value;
  const { cert, key } = value as { cert?: unknown; key?: unknown };
  return { ...value, cert: String(cert ?? ''), key: String(key ?? '') };
}

/** JSON for the core, where a number that JSON has no word for would be the default. */
export function optionsJson(options: object): string {
  const paths = new WeakMap<object, string>();
  return JSON.stringify(options, function (this: object, name: string, value: unknown) {
    const above = paths.get(this);
    const path = above ? `${above}.${name}` : name;
    if (typeof value === 'number' && !Number.isFinite(value)) refuse(`${path}: expected a finite number, got ${value}`);
    if (value && typeof value === 'object') paths.set(value, path);
    return value;
  });
}

/** The core's JSON for these options. */
export function coreOptions(options: Partial<ServerOptions>, hooks: Record<string, boolean>): string {
  const core: Record<string, unknown> = {};
  for (const name of Object.keys(options)) {
    if (!JAVASCRIPT_ONLY.has(name)) core[name] = (options as Record<string, unknown>)[name];
  }
  const { adapter } = options as Record<string, unknown>;
  checkAdapter(adapter);
  core.cors = cors(core.cors);
  core.parser = parser(core.parser);
  core.cookie = cookie(core.cookie);
  core.tls = pem(core.tls);
  core.cluster = plainCluster(core.cluster);
  core.hooks = hooks;
  return optionsJson(core);
}

/** What has been said once: many servers of a process are made from the same options. */
const warned = new Set<string>();

/** Throws for options that a server would refuse, and warns of names that no option has. */
export function check(options: Partial<ServerOptions>): void {
  if (options.allowRequest !== undefined && typeof options.allowRequest !== 'function') {
    refuse(`allowRequest: expected a function, got ${JSON.stringify(options.allowRequest)}`);
  }
  for (const what of addon().checkOptions(coreOptions(options, {}))) {
    if (warned.has(what)) continue;
    warned.add(what);
    process.emitWarning(what, { type: 'KrakenWsWarning', code: 'KRAKEN_WS_UNKNOWN_OPTION' });
  }
}
