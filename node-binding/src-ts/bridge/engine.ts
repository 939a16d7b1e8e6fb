// The engine under a socket.io server: engine.io's `Server`, with its connections in the core.
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { drained } from '../engine/drain';
import { Engine } from '../engine/engine';
import { parseRequest, sessionIdOf } from '../http/request';
import type { QueriedRequest } from '../http/request';
import type { ServerStats } from '../native/stats';
import { statsOf } from '../native/stats';
import type { ServerOptions } from '../options/server-options';
import { Core } from './core';
import { EngineSocket } from './engine-socket';
import type { RawCommands } from './raw-commands';

/** Most requests that are kept for questions of the core and for new connections. */
const REMEMBERED = 4096;
/** Events of the engine per outgoing message. */
const OF_MESSAGES: ReadonlySet<string> = new Set(['flush', 'drain']);

/** A new connection: session id, tag of its request, transport, protocol, request. */
type Opened = [sid: string, tag: number, transport: string, protocol: number, request: string];

/**
 * Emits `connection` with each connection, `connection_error`, `initial_headers`, `headers`, and for each message
 * `flush` and `drain`.
 */
export class BridgeEngine extends Engine {
  /** Connections by session id. */
  readonly clients: Record<string, EngineSocket> = {};
  /** Connections with listeners of outgoing messages. @internal */
  readonly _watched = new Set<EngineSocket>();
  /** The engine has listeners of outgoing messages. @internal */
  _watchesAll = false;
  private open = 0;
  private readonly core: Core;
  /** Requests by their tag. */
  private readonly tagged = new Map<number, QueriedRequest>();
  private lastTag = 0;

  /** @internal */
  constructor(options: Partial<ServerOptions>, json: string) {
    const core = new Core(options, json);
    super(core);
    this.core = core;
    this._hook();
  }

  /** The core's commands, while the core accepts any. @internal */
  get commands(): RawCommands | undefined {
    const { session } = this.core;
    return session && !session.closing ? session.commands : undefined;
  }

  /** Open connections, including those that JavaScript has not heard of yet. */
  override get clientsCount(): number {
    const { session } = this.core;
    return session ? Math.max(this.open, statsOf(session.native.stats()).connections - session.pump.leaving) : this.open;
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
    // A server that listens again gets a new session.
    server.on('listening', () => this.restart());
  }

  /** An HTTP server stopped listening; open connections stay. */
  private drain(): void {
    const { session } = this.core;
    if (!session || session.closing) return;
    const again = (): boolean => [...this.servers].some(({ listening }) => listening);
    drained(session.native, again, () => session.closing || this.close());
  }

  private restart(): void {
    if (this.core.session?.closing) this.core.start(this);
  }

  /** Starts the core, which accepts commands from then on. @internal */
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
      // The connection of the oldest request was given up without an event.
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
    // A handshake is kept: the event of its connection may follow the answer.
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
    // The request was dropped at the limit; its client connects again.
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
