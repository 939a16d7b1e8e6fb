// `io.engine`: the events and figures of the layer below that applications use.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { UpgradeResponse, runChain } from './engine-middleware';
import type { EngineMiddleware, EngineResponse } from './engine-middleware';
import { Connection } from './client';
import { coded } from './error';
import { parseRequest } from './request';
import type { EngineRequest } from './request';
import type { ServerOptions } from './options';
import type { Server } from './server';

/** Real requests that Node's HTTP server gave us, while the core may still ask about them. */
const REMEMBERED = 1024;

/**
 * Emits `connection_error` `{ req, code, message, context }`, `initial_headers` `(headers, req)`,
 * `headers` `(headers, req)`.
 */
export class Engine extends EventEmitter {
  /** Options of the server. */
  readonly opts: object;
  private readonly middlewares: EngineMiddleware[] = [];
  /** Headers that middlewares want in the answer to an upgrade. */
  private readonly upgradeHeaders = new WeakMap<object, Record<string, unknown>>();
  /** Some hook would show a request to the application. */
  private asks = false;
  private announces = false;
  private readonly requests = new Map<string, IncomingMessage>();

  private makeId: ((req: IncomingMessage) => string | Promise<string>) | undefined;

  private standIn: EventEmitter | undefined;

  /** @internal */
  constructor(private readonly server: Server<any, any, any, any>) {
    super();
    this.opts = server._opts;
    // The core asks only what somebody wants to answer. `newListener` comes before the listener is there.
    super.on('newListener', (name) => this._hook(name as string));
    super.on('removeListener', () => this._hook());
  }

  /** Makes the session id of a new connection: a secret that is not in use. Set it to replace the core's. */
  get generateId(): ((req: IncomingMessage) => string | Promise<string>) | undefined {
    return this.makeId;
  }

  set generateId(make: ((req: IncomingMessage) => string | Promise<string>) | undefined) {
    this.makeId = make;
    this._hook();
  }

  /**
   * Adds a middleware of the express kind for each of the engine's requests. They run in Node's HTTP server, so
   * the server has to be made from one.
   */
  use(fn: EngineMiddleware): this {
    this.middlewares.push(fn);
    this._needsHttpServer();
    this._hook();
    return this;
  }

  /** Throws when there are middlewares and a port that would bypass them. @internal */
  _needsHttpServer(): void {
    if (this.middlewares.length === 0 || !this.server._ownsListener) return;
    const message = 'io.engine.use: needs a server made from a Node HTTP server, new Server(httpServer), not from a port';
    throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
  }

  /** Middlewares first, then `go`; a middleware that failed is told to the client and to us. @internal */
  _through(req: IncomingMessage, res: EngineResponse, go: () => void, refuse: (body: string) => void): void {
    if (this.middlewares.length === 0) return go();
    runChain(this.middlewares, req, res, (err) => {
      if (!err) {
        if (res instanceof UpgradeResponse) this.upgradeHeaders.set(req, res.headers);
        return go();
      }
      const message = 'Bad request';
      this.emit('connection_error', { req, code: 3, message, context: { name: 'MIDDLEWARE_FAILURE' } });
      refuse(JSON.stringify({ code: 3, message }));
    });
  }

  /** Tells the core what to ask. @internal */
  _hook(coming?: string): void {
    const wanted = (name: string): boolean => name === coming || this.listenerCount(name) > 0;
    const { allowRequest } = this.server._opts;
    const every = wanted('headers') || this.middlewares.length > 0;
    const handshakes = every || wanted('initial_headers') || !!this.makeId || !!allowRequest;
    this.asks = handshakes || wanted('connection_error');
    // Who was shown a connection is told of its end, also when nobody waits for new ones any more.
    this.announces ||= wanted('connection');
    this.server._setHooks(handshakes, every, this.announces);
  }

  /** Connections that are open. One whose end JavaScript has not heard of yet counts as open. */
  get clientsCount(): number {
    return Math.max(this.server.stats().connections, this.server._clients.size);
  }

  /** The HTTP server in front, if there is one. */
  get httpServer(): Server['httpServer'] {
    return this.server.httpServer;
  }

  /** Transports that a session on `transport` may move to. */
  upgrades(transport: string): string[] {
    const { allowUpgrades, transports } = this.server._opts;
    const allowed = allowUpgrades !== false && (transports ?? ['websocket']).includes('websocket');
    return transport === 'polling' && allowed ? ['websocket'] : [];
  }

  /** Serves an HTTP server, as `io.attach` does. */
  attach(server: HttpServer, options?: Partial<ServerOptions>): void {
    this.server.attach(server, options);
  }

  /** Answers a request that the application got by itself. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void {
    this.front.emit('request', req, res);
  }

  /** Takes an upgrade that the application got by itself. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.front.emit('upgrade', req, socket, head);
  }

  private get front(): EventEmitter {
    return (this.standIn ??= this.server._standIn());
  }

  /** Closes all connections. */
  close(): this {
    this.server._closeNative();
    return this;
  }

  /** A request that came by Node's HTTP server: hooks get it instead of our copy. @internal */
  _remember(req: IncomingMessage): void {
    if (!this.asks) return;
    if (this.requests.size >= REMEMBERED) {
      for (const oldest of this.requests.keys()) {
        this.requests.delete(oldest);
        break;
      }
    }
    this.requests.set(`${req.socket.remoteAddress}|${req.socket.remotePort}`, req);
  }

  private request(text: string): IncomingMessage {
    const ours: EngineRequest = parseRequest(text);
    const key = `${ours.socket.remoteAddress}|${ours.socket.remotePort}`;
    const real = this.requests.get(key);
    if (!real || real.url !== ours.url) return ours as unknown as IncomingMessage;
    this.requests.delete(key);
    return real;
  }

  /** @internal */
  _askAllow(
    text: string,
    answer: (refuse: string | undefined, headers: string[], sid: string | undefined) => void,
  ): void {
    const req = this.request(text);
    const allowed = async (): Promise<void> => {
      const headers = [...this.collect('initial_headers', req), ...this.collect('headers', req)];
      answer(undefined, headers, await this.makeId?.(req));
    };
    const { allowRequest } = this.server._opts;
    if (!allowRequest) return void allowed();
    allowRequest(req, (err, success) => {
      if (success) void allowed();
      else answer(err || 'Forbidden', [], undefined);
    });
  }

  /** @internal */
  _askHeaders(text: string): string[] {
    return this.collect('headers', this.request(text));
  }

  private collect(event: string, req: object): string[] {
    const headers: Record<string, unknown> = event === 'headers' ? { ...this.upgradeHeaders.get(req) } : {};
    this.emit(event, headers, req);
    const flat: string[] = [];
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      for (const each of Array.isArray(value) ? value : [value]) flat.push(name, String(each));
    }
    return flat;
  }

  /** @internal */
  _connectionError(code: number, message: string, context: object, text: string): void {
    if (this.listenerCount('connection_error') === 0) return;
    this.emit('connection_error', { req: this.request(text), code, message, context });
  }

  /** @internal */
  _opened(number: number, id: string, text: string): void {
    const connection = new Connection(id, parseRequest(text), () => this.server._endConnection(number));
    this.server._clients.show(number, connection);
    this.emit('connection', connection);
  }
}
