// `io.engine`: events, hooks, middlewares and figures of Engine.IO.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { errorMessages, errors } from '../generated/codes';
import { Hook } from '../generated/wire';
import { parseRequest, prepare } from '../http/request';
import type { EngineRequest } from '../http/request';
import { CollectedResponse, UpgradeResponse } from '../http/response';
import type { EngineAnswer, EngineResponse } from '../http/response';
import type { ServerStats } from '../native/stats';
import { isDynamic, resolve } from '../options/cors';
import type { CorsOptions, CorsOptionsDelegate } from '../options/cors';
import type { ServerOptions } from '../options/server-options';
import { runChain } from './middleware';
import type { EngineMiddleware } from './middleware';

/** Most requests of Node's HTTP servers that are kept for questions of the core. */
export const REMEMBERED = 1024;

/** The server that an engine belongs to. */
export interface EngineHost {
  readonly opts: Partial<ServerOptions>;
  /** Connections that JavaScript knows. */
  readonly knownConnections: number;
  /** Sets what the core asks or tells: bits of `Hook`. */
  setHooks(hooks: number): void;
  closeNative(): void;
  stats(): ServerStats;
}

/** The answer to a handshake that the core asks about. */
export interface Decision {
  refuse?: string;
  headers: string[];
  sid?: string;
}

/**
 * Emits `connection_error` `{ req, code, message, context }`, `initial_headers` `(headers, req)`,
 * `headers` `(headers, req)`.
 */
export class Engine extends EventEmitter {
  /** Codes of `connection_error` by name. */
  static readonly errors = errors;
  /** Their messages. */
  static readonly errorMessages = errorMessages;

  protected readonly middlewares: EngineMiddleware[] = [];
  /** Headers that middlewares want in the answer to an upgrade. */
  private readonly upgradeHeaders = new WeakMap<object, Record<string, unknown>>();
  /** A hook or a listener shows requests to the application. */
  protected asks = false;
  /** Each connection has an object from its beginning. */
  protected announces = false;
  /** The core shows the packets of each connection from its beginning. */
  protected shows = false;
  /** A connection has an object, which needs the connection-closed event. */
  private hears = false;
  private readonly requests = new Map<string, IncomingMessage>();
  /** Errors of middlewares by request, until the core reports that it refused the request. */
  private readonly thrown = new WeakMap<IncomingMessage, unknown>();
  /** Middlewares that the process was warned of. */
  private readonly warnedOf = new WeakSet<EngineMiddleware>();

  private makeId: ((req: IncomingMessage) => string | Promise<string>) | undefined;

  /** @internal */
  constructor(private readonly host: EngineHost) {
    super();
    // The core asks only what a hook or listener answers. `newListener` is emitted before the listener is added.
    super.on('newListener', (name) => this._hook(name as string));
    super.on('removeListener', () => this._hook());
  }

  /** Options of the server. */
  get opts(): object {
    return this.host.opts;
  }

  /** Makes the session id of a new connection: a secret that is not in use. Set it to replace the core's. */
  get generateId(): (req: IncomingMessage) => string | Promise<string> {
    return this.makeId ?? (() => randomBytes(15).toString('base64url'));
  }

  set generateId(make: (req: IncomingMessage) => string | Promise<string>) {
    this.makeId = make;
    this._hook();
  }

  /** Adds a middleware of the express kind for each of the engine's requests. */
  use(fn: EngineMiddleware): this {
    this.middlewares.push(fn);
    this._hook();
    return this;
  }

  /** A request on the core's own listener, for the middlewares. @internal */
  _askMiddleware(text: string, answer: (...reply: [...Parameters<EngineAnswer>, tag: number]) => void): void {
    const ours = parseRequest(text);
    // Middlewares expect Node's request; this one has the readable part of it.
    const req = ours as unknown as IncomingMessage;
    const res = new CollectedResponse(ours, (status, headers, body) =>
      answer(status, headers, body, status === 0 ? this._tag(req) : 0),
    );
    prepare(req, res);
    runChain(this.middlewares, req, res, (err, thrower) => {
      if (!err) return res.letPass();
      this.warn(err, thrower);
      if (this.listenerCount('connection_error') > 0) {
        this.thrown.set(req, err);
        this.keep(req);
      }
      answer(0, [], undefined, 0);
    });
  }

  /** A tag by which a request is known when its connection opens; 0 if it will not be needed. @internal */
  _tag(_req: IncomingMessage): number {
    return 0;
  }

  /** Runs the middlewares, then `go`. If one fails, `connection_error` is emitted and the request refused. @internal */
  _through(req: IncomingMessage, res: EngineResponse, go: () => void, refuse: (code: number, message: string) => void): void {
    if (this.middlewares.length === 0) return go();
    runChain(this.middlewares, req, res, (err, thrower) => {
      if (!err) {
        if (res instanceof UpgradeResponse) {
          // Packages that wait for the head (cookies of sessions) set their headers now, in `writeHead`.
          res.writeHead();
          this.upgradeHeaders.set(req, res.headers);
        }
        return go();
      }
      this.warn(err, thrower);
      const [code, message] = [3, 'Bad request'];
      const context = { name: 'MIDDLEWARE_FAILURE', error: err };
      this.emit('connection_error', { req, code, message, context });
      refuse(code, message);
    });
  }

  /**
   * A middleware that throws has a bug, and its requests are refused: the process is warned once, unless
   * `connection_error` has listeners.
   */
  private warn(err: unknown, thrower: EngineMiddleware | undefined): void {
    if (!thrower || this.warnedOf.has(thrower) || this.listenerCount('connection_error') > 0) return;
    this.warnedOf.add(thrower);
    const detail = err instanceof Error ? err.stack : String(err);
    process.emitWarning('a middleware of io.engine threw; the requests that it throws at are refused', {
      type: 'KrakenWsWarning',
      code: 'KRAKEN_WS_MIDDLEWARE',
      detail,
    });
  }

  /** Tells the core what to ask. `coming`: an event that is about to get a listener. @internal */
  _hook(coming?: string): void {
    const wanted = (name: string): boolean => name === coming || this.listenerCount(name) > 0;
    const { allowRequest } = this.host.opts;
    const every = wanted('headers') || this.middlewares.length > 0;
    const handshakes = every || wanted('initial_headers') || !!this.makeId || !!allowRequest;
    this.asks = handshakes || wanted('connection_error') || isDynamic(this.host.opts.cors);
    // A connection that was shown needs its end, also after the last listener of `connection` is removed. What hooks
    // and middlewares put on a request is read from that of the connection, so connections have objects then.
    this.announces ||= wanted('connection') || handshakes;
    const connections = this.announces || this.hears;
    const packets = wanted('connection');
    this.shows ||= packets;
    const requests = this.middlewares.length > 0;
    this.host.setHooks(
      (handshakes ? Hook.ALLOW_REQUEST : 0)
        | (every ? Hook.HEADERS : 0)
        | (connections ? Hook.CONNECTIONS : 0)
        | (requests ? Hook.ENGINE : 0)
        | (packets ? Hook.PACKETS : 0),
    );
  }

  /** Subscribes to connection-closed events. @internal */
  _hearEnds(): void {
    if (this.hears) return;
    this.hears = true;
    this._hook();
  }

  /** Open connections, including those whose end JavaScript has not heard of yet. */
  get clientsCount(): number {
    return Math.max(this.host.stats().connections, this.host.knownConnections);
  }

  /** Transports that a session on `transport` may move to. */
  upgrades(transport: string): string[] {
    const { allowUpgrades, transports } = this.host.opts;
    const allowed = allowUpgrades !== false && (transports ?? ['websocket']).includes('websocket');
    return transport === 'polling' && allowed ? ['websocket'] : [];
  }

  /** Closes all connections. */
  close(): this {
    this.host.closeNative();
    return this;
  }

  /** Keeps a request of Node's HTTP server, so that hooks get it instead of a copy; returns its tag. @internal */
  _remember(req: IncomingMessage): number {
    if (!this.asks) return 0;
    this.keep(req);
    return this._tag(req);
  }

  private keep(req: IncomingMessage): void {
    if (this.requests.size >= REMEMBERED) {
      for (const oldest of this.requests.keys()) {
        this.requests.delete(oldest);
        break;
      }
    }
    this.requests.set(`${req.socket.remoteAddress}|${req.socket.remotePort}`, req);
  }

  /** The request with that tag was answered. @internal */
  _answered(_tag: number): void {}

  /** The request with that tag did not reach the core. @internal */
  _drop(_tag: number): void {}

  /** The request that a question is about. `last`: the core asks nothing else about it. */
  protected request(text: string, last = true): IncomingMessage {
    const ours: EngineRequest = parseRequest(text);
    const key = `${ours.socket.remoteAddress}|${ours.socket.remotePort}`;
    const real = this.requests.get(key);
    if (!real || real.url !== ours.url) return ours as unknown as IncomingMessage;
    if (last) this.requests.delete(key);
    return real;
  }

  /** The handshake is accepted: it opens the session `sid`. */
  protected allowed(_sid: string, _req: IncomingMessage): void {}

  /**
   * Decides about a handshake. Without a decision making the session id has failed, and `connection_error` is emitted.
   * @internal
   */
  _askAllow(id: string, text: string, answer: (decision: Decision | undefined) => void): void {
    const req = this.request(text);
    const allowed = async (): Promise<void> => {
      let sid: string | undefined;
      try {
        sid = await this.makeId?.(req);
      } catch (error) {
        answer(undefined);
        const context = { name: 'ID_GENERATION_ERROR', error };
        this.emit('connection_error', { req, code: 3, message: 'Bad request', context });
        return;
      }
      this.allowed(sid ?? id, req);
      const headers = [...this.collect('initial_headers', req), ...this.collect('headers', req)];
      answer({ headers, sid });
    };
    const { allowRequest } = this.host.opts;
    if (!allowRequest) return void allowed();
    allowRequest(req, (err: unknown, success) => {
      if (success) return void allowed();
      const refuse = err instanceof Error ? err.message : err;
      answer({ refuse: refuse ? String(refuse) : 'Forbidden', headers: [] });
    });
  }

  /** @internal */
  _askCors(text: string, answer: (rules: string | undefined) => void): void {
    resolve(this.host.opts.cors as CorsOptions | CorsOptionsDelegate, this.request(text, false), answer);
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
    const details: Record<string, unknown> = { ...context };
    for (const name of ['protocol', 'previousProtocol']) {
      if (name in details) details[name] = Number(details[name]);
    }
    const req = this.request(text);
    if (this.thrown.has(req)) details.error = this.thrown.get(req);
    this.emit('connection_error', { req, code, message, context: details });
  }
}
