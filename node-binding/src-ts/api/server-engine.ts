// `io.engine` of the Server door: the engine with the entry points for requests that engine.io's server has.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Engine, REMEMBERED } from '../engine/engine';
import type { EngineHost } from '../engine/engine';
import { letGoOfResponse, parseRequest } from '../http/request';
import type { ServerOptions } from '../options/server-options';
import type { Clients } from './clients';
import type { Connection } from './connection';
import { clientsById } from './engine-clients';
import type { NativeSession } from './native-session';
import type { Server } from './server';

/** Defaults of engine.io, which are the core's as well. */
const DEFAULTS = {
  pingTimeout: 20_000,
  pingInterval: 25_000,
  upgradeTimeout: 10_000,
  maxHttpBufferSize: 1_000_000,
  transports: ['polling', 'websocket'],
  allowUpgrades: true,
  httpCompression: { threshold: 1024 },
  cors: false,
  allowEIO3: false,
};
const COOKIE = { name: 'io', path: '/', httpOnly: true, sameSite: 'lax' };

/** See {@link Engine}; emits `connection` too, with each connection. */
export class ServerEngine extends Engine {
  private standIn: { front: EventEmitter; session: NativeSession } | undefined;
  /** Requests that middlewares have seen, until their connection opens. */
  private readonly tagged = new Map<number, IncomingMessage>();
  private lastTag = 0;
  /** Requests that hooks have seen, by the session id of their future connection, until that opens. */
  private readonly opening = new Map<string, IncomingMessage>();

  /** Connections by their `id`, to read: those that have a socket, or an object. */
  readonly clients: Readonly<Record<string, Connection>>;

  /** @internal */
  constructor(private readonly io: Server<any, any, any, any>) {
    super(hostOf(io));
    this.clients = clientsById(() => io._clients);
  }

  /** The options with which clients are served, to read. */
  override get opts(): Readonly<Record<string, any>> {
    const { cookie, ...given } = this.io._opts;
    const opts: Record<string, unknown> = { ...DEFAULTS, ...given };
    if (cookie) opts.cookie = { ...COOKIE, ...(typeof cookie === 'string' ? { name: cookie } : Object(cookie)) };
    if (given.perMessageDeflate) opts.perMessageDeflate = { threshold: 1024, ...Object(given.perMessageDeflate) };
    return Object.freeze(opts);
  }

  /** The HTTP server in front, if there is one. */
  get httpServer(): Server['httpServer'] {
    return this.io.httpServer;
  }

  /** Serves an HTTP server, as `io.attach` does. */
  attach(server: HttpServer, options?: Partial<ServerOptions>): void {
    this.io.attach(server, options);
  }

  /** Handles a request that an HTTP server of the application's own received. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void {
    this.front.emit('request', req, res);
  }

  /** Handles an upgrade that an HTTP server of the application's own received. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.front.emit('upgrade', req, socket, head);
  }

  private get front(): EventEmitter {
    // The stand-in of an earlier session is closed.
    const { _session: session } = this.io;
    if (!this.standIn || (session && this.standIn.session !== session)) this.standIn = this.io._standIn();
    return this.standIn.front;
  }

  /** @internal */
  override _tag(req: IncomingMessage): number {
    // A request with a session id belongs to an open connection.
    if (this.middlewares.length === 0 || /[?&]sid=/.test(req.url ?? '')) return 0;
    remember(this.tagged, ++this.lastTag, req);
    return this.lastTag;
  }

  protected override allowed(sid: string, req: IncomingMessage): void {
    remember(this.opening, sid, req);
  }

  protected override request(text: string, last = true): IncomingMessage {
    const { tag } = JSON.parse(text) as { tag: number };
    return this.tagged.get(tag) ?? super.request(text, last);
  }

  /** @internal */
  override _drop(tag: number): void {
    this.tagged.delete(tag);
  }

  private untag(text: string): IncomingMessage | undefined {
    if (this.tagged.size === 0) return undefined;
    const { tag } = JSON.parse(text) as { tag: number };
    const req = this.tagged.get(tag);
    this.tagged.delete(tag);
    return req;
  }

  /** @internal */
  override _connectionError(code: number, message: string, context: object, text: string): void {
    super._connectionError(code, message, context, text);
    this.untag(text);
  }

  /** @internal */
  _opened(clients: Clients, number: number, id: string, text: string): void {
    if (!this.announces) return clients.hear(number);
    const seen = this.untag(text) ?? this.opening.get(id);
    this.opening.delete(id);
    if (seen) letGoOfResponse(seen);
    const connection = clients.connection(number, id, parseRequest(text), seen);
    clients.show(number, connection);
    // Listeners that are shown the connection now must not miss what its client sends at once.
    if (this.shows) connection._announce(() => this.emit('connection', connection));
  }
}

/** The server as its engine uses it. */
function hostOf(io: Server<any, any, any, any>): EngineHost {
  return {
    get opts() {
      return io._opts;
    },
    get knownConnections() {
      return io._clients.size;
    },
    setHooks: (hooks) => io._setHooks(hooks),
    closeNative: () => io._closeNative(),
    stats: () => io.stats(),
  };
}

/** Keeps a request. At the limit the oldest is dropped: its client has left before its connection opened. */
function remember<K>(requests: Map<K, IncomingMessage>, key: K, req: IncomingMessage): void {
  if (requests.size >= REMEMBERED) {
    for (const oldest of requests.keys()) {
      requests.delete(oldest);
      break;
    }
  }
  requests.set(key, req);
}
