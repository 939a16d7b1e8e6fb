// The engine under a socket.io server: engine.io's `Server`, with its connections in the core.
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Engine } from '../engine/engine';
import type { ServerStats } from '../native/stats';
import type { ServerOptions } from '../options/server-options';
import { parseRequest, sessionIdOf } from '../http/request';
import type { QueriedRequest } from '../http/request';
import { drained } from '../engine/drain';
import { Core } from './core';
import { EngineSocket } from './engine-socket';
import type { RawCommands } from './raw-commands';

/** Requests that the core may still ask about or open a connection for, at most. */
const REMEMBERED = 4096;
/** Events of the engine that each message causes. */
const OF_MESSAGES: ReadonlySet<string> = new Set(['flush', 'drain']);

/** What the core says of a new connection: session id, number of its request, transport, protocol, request. */
type Opened = [sid: string, tag: number, transport: string, protocol: number, request: string];

/**
 * Emits `connection` with each connection, `connection_error`, `initial_headers`, `headers`, and for each message
 * `flush` and `drain`.
 */
export class BridgeEngine extends Engine {
  /** Connections by session id. */
  readonly clients: Record<string, EngineSocket> = {};
  /** Connections that listen for what is sent to them. @internal */
  readonly _watched = new Set<EngineSocket>();
  /** Somebody listens for what is sent to any connection. @internal */
  _watchesAll = false;
  private open = 0;
  private readonly core: Core;
  /** By the number that the core knows them by. */
  private readonly tagged = new Map<number, QueriedRequest>();
  private lastTag = 0;

  /** @internal */
  constructor(options: Partial<ServerOptions>, json: string) {
    const core = new Core(options, json);
    super(core);
    this.core = core;
    this._hook();
  }

  /** The way into the core, while it takes commands. @internal */
  get commands(): RawCommands | undefined {
    const { session } = this.core;
    return session && !session.closing ? session.commands : undefined;
  }

  /** Connections that are open, those included that JavaScript is yet to hear of. */
  override get clientsCount(): number {
    const { session } = this.core;
    return session ? Math.max(this.open, session.native.stats().connections - session.pump.leaving) : this.open;
  }

  /** Figures of the core. */
  stats(): ServerStats {
    return this.core.stats();
  }

  /** Serves a further HTTP server. */
  attach(server: HttpServer): void {
    this.servers.add(server);
    this.session().attachment.listen(server, () => this.drain(), () => {
      this.restart();
      this.attach(server);
    });
  }

  /** Handles a request on the engine's path. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void {
    this.session().attachment.requestThrough(req, res);
  }

  /** Handles an upgrade on the engine's path. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.session().attachment.upgradeThrough(req, socket as NetSocket, head);
  }

  private session() {
    return this.core.session ?? this.core.start(this);
  }

  private readonly servers = new Set<HttpServer>();

  /** Follows the life of an HTTP server. @internal */
  _follow(server: HttpServer): void {
    this.servers.add(server);
    server.on('close', () => this.drain());
    // One that listens again gets a new core.
    server.on('listening', () => this.restart());
  }

  /** An HTTP server takes nobody any more: those that are there stay. */
  private drain(): void {
    const { session } = this.core;
    if (session && !session.closing) drained(session.native, () => [...this.servers].some(({ listening }) => listening), () => session.closing || this.close());
  }

  private restart(): void {
    if (this.core.session?.closing) this.core.start(this);
  }

  /** Starts the core, which takes commands from then on. @internal */
  _start(): void {
    this.session();
  }

  /** Closes all connections. */
  override close(): this {
    for (const socket of Object.values(this.clients)) socket._closed('forced close');
    this.core.closeNative();
    return this;
  }

  /** @internal */
  override _hook(coming?: string): void {
    super._hook(coming);
    if (coming && OF_MESSAGES.has(coming)) this._watchesAll = true;
  }

  /** @internal */
  _wantHeartbeats(): void {
    this.core.wantHeartbeats();
  }

  /** @internal */
  override _remember(req: QueriedRequest): number {
    const handshake = !sessionIdOf(req);
    if (!handshake && !this.asks) return 0;
    if (this.tagged.size >= REMEMBERED) {
      // Its connection was given up without a word.
      for (const oldest of this.tagged.keys()) {
        this.tagged.delete(oldest);
        break;
      }
    }
    this.tagged.set(++this.lastTag, req);
    return this.lastTag;
  }

  /** @internal */
  override _answered(tag: number): void {
    // The event of a new connection may come behind the answer to its request.
    if (sessionIdOf(this.tagged.get(tag))) this.tagged.delete(tag);
  }

  /** @internal */
  override _drop(tag: number): void {
    this.tagged.delete(tag);
  }

  protected override request(text: string): IncomingMessage {
    const { tag } = JSON.parse(text) as { tag: number };
    return this.tagged.get(tag) ?? (parseRequest(text) as unknown as IncomingMessage);
  }

  /** @internal */
  override _connectionError(code: number, message: string, context: object, text: string): void {
    super._connectionError(code, message, context, text);
    this.tagged.delete((JSON.parse(text) as { tag: number }).tag);
  }

  /** A connection opened; `place` makes it known under its handle. @internal */
  _connected(handle: number, opened: Opened, place: (socket: EngineSocket) => void): void {
    const [sid, tag, transport, protocol, text] = opened;
    const copy = text === '' ? undefined : (parseRequest(text) as unknown as IncomingMessage);
    const request = this.tagged.get(tag) ?? copy;
    this.tagged.delete(tag);
    // Forgotten among too many others that were never heard of again; the client tries anew.
    if (!request) return this.commands?.close(handle);
    const socket = new EngineSocket(sid, this, request, protocol, transport, handle);
    place(socket);
    this.clients[sid] = socket;
    this.open += 1;
    const { initialPacket } = this.opts as { initialPacket?: unknown };
    if (initialPacket) socket.send(initialPacket);
    this.emit('connection', socket);
  }

  /** A connection ended. @internal */
  _left(socket: EngineSocket, byCore: boolean): void {
    if (this.clients[socket.id] === socket) delete this.clients[socket.id];
    this.open -= 1;
    this._watched.delete(socket);
    this.core.session?.pump.forget(socket, byCore);
  }
}
