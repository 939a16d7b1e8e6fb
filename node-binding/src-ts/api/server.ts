// The server: its namespaces, its start and close, and socket.io's API. Calls that address everybody go to the `/`
// namespace.
import { EventEmitter } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import { clusterOf } from '../cluster/adapter-factories';
import { Fleet } from '../cluster/fleet';
import { gateOf, updateHooks } from '../engine/questions';
import { clientFile, fileName } from '../http/client-files';
import type { FileAnswer } from '../http/client-files';
import { Listener } from '../http/listener';
import { parseRequest } from '../http/request';
import { addon } from '../native/bindings';
import { tick } from '../native/clock';
import { coded } from '../native/error';
import { guarded } from '../native/guarded';
import { loadModule, unloadModule } from '../native/modules';
import { statsOf } from '../native/stats';
import type { ServerStats } from '../native/stats';
import { plainCluster } from '../options/cluster-options';
import type { ClusterOptions } from '../options/cluster-options';
import { isDynamic } from '../options/cors';
import type { AdapterConstructor, ServerOptions } from '../options/server-options';
import { goneError } from './acks';
import { Adapter } from './adapter';
import { checkAdapter } from './adapter-check';
import type { BroadcastOperator, PendingBroadcast, RemoteSocket } from './broadcast-operator';
import { Clients } from './clients';
import { check, coreOptions } from './core-options';
import { DynamicNamespaces } from './dynamic-namespaces';
import type { ParentNspNameMatchFn } from './dynamic-namespaces';
import { encoderOf } from './encoder';
import type { Encoder } from './encoder';
import { Namespace } from './namespace';
import type { NamespaceMiddleware, ServerReservedEventsMap } from './namespace';
import { NativeSession } from './native-session';
import { OwnOptions } from './own-options';
import { Away } from './recovery';
import { ServerEngine } from './server-engine';
import { ServerPump } from './server-pump';
import type { Socket } from './socket';
import type { DisconnectReason, Room, SocketId } from './socket-types';
import { StrictEventEmitter, emitLocally } from './strict-emitter';
import type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  RemoveAcknowledgements,
} from './typed-events';

/** What a server can be made from: a port, a Unix socket path, or one of Node's HTTP servers. */
export type ServerSource = number | string | HttpServer | HttpsServer | Http2SecureServer | Http2Server;

/** A Socket.IO server over the native core. */
export class Server<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends StrictEventEmitter<
  ServerSideEvents,
  RemoveAcknowledgements<EmitEvents>,
  ServerReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
> {
  /** The `/` namespace. */
  readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The Engine.IO layer: `clientsCount`, and the events `connection_error`, `initial_headers`, `headers`. */
  readonly engine: ServerEngine;
  /** The HTTP server in front, or the core's own listener in its place. */
  httpServer!: HttpServer | HttpsServer | Http2SecureServer | Http2Server;

  /** @internal */
  readonly _nsps: Map<string, Namespace<any, any, any, any>> = new Map();
  /** @internal */
  readonly _opts: Partial<ServerOptions>;
  /** @internal */
  _clients = new Clients(this as Server<any, any, any, any>, undefined);
  /** The other nodes, in a fleet. @internal */
  get _fleet(): Fleet | undefined {
    return this._session?.fleet;
  }
  /** Namespaces that are made when clients ask for them. @internal */
  readonly _dynamic = new DynamicNamespaces(this as Server<any, any, any, any>);
  /** `close` was called, and no `attach` since. @internal */
  _closed = false;
  private packetEncoder: Encoder | undefined;
  /** The session of the core, until it begins to close. @internal */
  _session: NativeSession | undefined;
  /** The last session, also while it closes and after that. */
  private latest: NativeSession | undefined;
  private readonly own: OwnOptions;

  /**
   * A server that gets its port or HTTP server later, by `listen` or `attach`.
   * @param opts options; a wrong one is refused by name
   */
  constructor(opts?: Partial<ServerOptions>);
  /**
   * @param srv a port, a Unix socket path, or a Node HTTP server
   * @param opts options; a wrong one is refused by name
   */
  constructor(srv?: ServerSource, opts?: Partial<ServerOptions>);
  constructor(srv?: ServerSource | Partial<ServerOptions>, opts: Partial<ServerOptions> = {}) {
    super();
    let source = srv as ServerSource | undefined;
    if (typeof srv === 'object' && srv !== null && !('listen' in srv && srv.listen)) {
      opts = srv as Partial<ServerOptions>;
      source = undefined;
    }
    this.own = new OwnOptions(opts);
    this._opts = this.own.values;
    const cluster = clusterOf(opts.adapter);
    if (cluster) {
      delete this._opts.adapter;
      this.own.setCluster(cluster);
    }
    check(this._opts);
    this.engine = new ServerEngine(this as Server<any, any, any, any>);
    this.sockets = this.of('/');
    if (source !== undefined && source !== null) this.attach(source);
  }

  /** Alias of `engine`, as socket.io has it. */
  get eio(): ServerEngine {
    return this.engine;
  }

  /** Options as given. @internal */
  get opts(): Partial<ServerOptions> {
    return this._opts;
  }

  /** Encodes packets as this server's parser does; the server itself does not use it. */
  get encoder(): Encoder {
    return (this.packetEncoder ??= encoderOf(this._opts.parser));
  }

  /** The path, or sets it for servers attached later. */
  path(): string;
  path(value: string): this;
  path(value?: string): string | this {
    if (value === undefined) return this._opts.path as string;
    this.own.setPath(value);
    return this;
  }

  /** How long a client may take to join a namespace, or sets it for servers attached later. */
  connectTimeout(): number;
  connectTimeout(value: number): this;
  connectTimeout(value?: number): number | this {
    if (value === undefined) return this._opts.connectTimeout ?? 45_000;
    this._opts.connectTimeout = value;
    return this;
  }

  /** Whether the client's bundles are served, or sets it. */
  serveClient(): boolean;
  serveClient(value: boolean): this;
  serveClient(value?: boolean): boolean | this {
    if (value === undefined) return this._opts.serveClient !== false;
    this._opts.serveClient = value;
    return this;
  }

  /**
   * The class of `namespace.adapter`. With an argument: takes rooms in memory, and adapters over Redis, which mean
   * that this server joins the fleet; refuses others.
   */
  adapter(): AdapterConstructor;
  adapter(value: AdapterConstructor): this;
  adapter(value?: AdapterConstructor): AdapterConstructor | this {
    if (arguments.length === 0) return Adapter;
    const cluster = clusterOf(value);
    if (cluster) this.joinCluster(cluster);
    else checkAdapter(value);
    return this;
  }

  private joinCluster(cluster: ClusterOptions): void {
    if (!this.own.setCluster(cluster)) return;
    try {
      check(this._opts);
      this._session?.native.joinCluster(JSON.stringify(plainCluster(cluster)));
    } catch (err) {
      this._opts.cluster = undefined;
      throw err;
    }
    if (this._session) this._session.fleet = new Fleet(cluster);
  }

  /** Alias of `attach`. */
  listen(srv: ServerSource, opts: Partial<ServerOptions> = {}): this {
    return this.attach(srv, opts);
  }

  /** Serves a port, a Unix socket path or a Node HTTP server. */
  attach(srv: ServerSource, opts: Partial<ServerOptions> = {}): this {
    if (typeof srv === 'function') {
      const message =
        'You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance.';
      throw coded('ERR_KRAKEN_WS_ARGUMENT', new Error(message));
    }
    const session = this.start(opts);
    if (typeof srv === 'object') {
      this.serve(session, srv as HttpServer, { ...opts, ...this._opts }, () => this.attach(srv, opts));
      this.httpServer = srv;
    } else {
      const where = String(Number(srv)) === String(srv) ? Number(srv) : srv;
      // Listener has the members of an HTTP server that applications use.
      this.httpServer = session.listen(where, this._opts.host, () => this._closeNative()) as unknown as HttpServer;
    }
    return this;
  }

  private serve(session: NativeSession, srv: HttpServer, options: Partial<ServerOptions>, again: () => void): void {
    session.serve(srv, options, gateOf(this.engine), () => this._closeNative(), again);
  }

  /** An emitter in place of an HTTP server, for an application that passes requests in itself. @internal */
  _standIn(): { front: EventEmitter; session: NativeSession } {
    const front = new EventEmitter();
    front.on('request', (_req, res) => res.writeHead(404).end());
    const session = this.start({});
    this.serve(session, front as HttpServer, this._opts, () => {});
    return { front, session };
  }

  private start(opts: Partial<ServerOptions>): NativeSession {
    this.own.attach(opts, this._session !== undefined);
    if (this._session) {
      updateHooks(this.engine);
      return this._session;
    }
    const options = this._opts;
    const json = coreOptions(options, {
      namespaces: true,
      cors: isDynamic(options.cors),
      files: options.serveClient !== false,
      socketData: true,
      moves: true,
      sessions: Boolean(options.connectionStateRecovery),
    });
    const native = new (addon().NativeServer)(json, () => session.pump.pump());
    // A new session gives the numbers of an earlier one to other objects.
    this.endAll('forced close');
    this._closed = false;
    const { connectionStateRecovery: recovery } = options;
    const session = new NativeSession(native, recovery ? new Away(recovery, options) : undefined);
    session.clients = new Clients(this as Server<any, any, any, any>, session);
    session.pump = new ServerPump(this as Server<any, any, any, any>, session);
    this._clients = session.clients;
    this._session = session;
    this.latest = session;
    for (const namespace of this._nsps.values()) this.link(namespace);
    if (options.cluster) session.fleet = new Fleet(options.cluster);
    updateHooks(this.engine);
    return session;
  }

  private link(namespace: Namespace<any, any, any, any>): void {
    if (!this._session) return;
    const { native, commands } = this._session;
    namespace._number = native.namespace(namespace.name);
    namespace._native = commands;
    if (namespace._quiet) native.overlook(namespace._number);
  }

  /** Broadcasts whose acknowledgements are awaited. @internal */
  get _broadcastAcks(): Map<number, PendingBroadcast> | undefined {
    return this._session?.broadcastAcks;
  }

  /** Data of sockets whose clients may come back; with the option `connectionStateRecovery`. @internal */
  get _away(): Away | undefined {
    return this.latest?.away;
  }

  /** The sockets of a namespace are read for the first time. @internal */
  _lookAt(namespace: Namespace<any, any, any, any>): void {
    if (namespace._native) this._session?.pump.lookAt(namespace);
  }

  /** @internal */
  _register(namespace: Namespace<any, any, any, any>): void {
    this._nsps.set(namespace.name, namespace);
    this.link(namespace);
    if (namespace.name !== '/') emitLocally(this.sockets, ['new_namespace', namespace]);
  }

  /** @internal */
  _unregister(namespace: Namespace<any, any, any, any>): void {
    this._nsps.delete(namespace.name);
    namespace._native?.removeNamespace(namespace._number);
    namespace._native = undefined;
  }

  /**
   * The namespace of that name, made if there is none. With a RegExp or a function: a parent whose children
   * are made when a client asks for a name that matches.
   */
  of(
    name: string | RegExp | ParentNspNameMatchFn,
    fn?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    if (typeof name === 'function' || name instanceof RegExp) {
      const parent = this._dynamic.parent(name);
      if (fn) parent.on('connect', fn as any);
      return parent;
    }
    const full = String(name)[0] === '/' ? String(name) : `/${name}`;
    let namespace = this._nsps.get(full);
    if (!namespace) {
      const child = this._dynamic.child(full);
      if (child) return child;
      namespace = new Namespace<any, any, any, any>(this, full);
      this._register(namespace);
    }
    if (fn) namespace.on('connect', fn as any);
    return namespace;
  }

  /** Accepts this server's own engine only: the core implements the protocol. */
  bind(engine: unknown): this {
    if (engine === this.engine) return this;
    const message =
      'io.bind: this server speaks Engine.IO itself; give it the HTTP server with io.attach(httpServer), or keep ' +
      'socket.io and put the native engine under it: bindNative(io)';
    throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
  }

  /** Not supported: uWebSockets.js does not hand its connections over. Use `attach` or a port. */
  attachApp(_app: unknown, _opts?: Partial<ServerOptions>): void {
    const message = 'io.attachApp: connections of uWebSockets.js can not be handed over; use new Server(port or httpServer)';
    throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
  }

  /** Disconnects everybody, stops listening and ends the threads; `fn` and the promise come afterwards. */
  async close(fn?: (err?: Error) => void): Promise<void> {
    for (const namespace of this._nsps.values()) {
      for (const socket of [...namespace._sockets.values()]) {
        // The core removes the socket a moment later. It leaves its rooms now, so that it does not get what handlers of
        // `disconnect` send to them.
        namespace._native?.leaveAll(socket._handle);
        guarded(() => socket._onclose('server shutting down'));
      }
    }
    const front = this.httpServer as HttpServer | undefined;
    const over = this.latest?.over;
    this._closeNative();
    if (!front) {
      await over;
      fn?.();
    } else if (front instanceof Listener) {
      const running = front.listening;
      await over;
      fn?.(running ? undefined : Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' }));
    } else {
      const stopped = new Promise<Error | undefined>((resolve) => front.close(resolve));
      await over;
      fn?.(await stopped);
    }
  }

  /** @internal */
  _closeNative(): void {
    this._closed = true;
    const { _session: session } = this;
    if (!session) return;
    for (const namespace of this._nsps.values()) namespace._native = undefined;
    this._session = undefined;
    session.close();
  }

  /** The core sent its last event. @internal */
  _ended(session: NativeSession): void {
    if (this.latest === session) this.endAll('server shutting down');
    session.ended();
  }

  /** Ends what is left of a session: sockets, connections and pending acknowledgements. */
  private endAll(reason: DisconnectReason): void {
    for (const namespace of [...this._nsps.values()]) {
      for (const socket of [...namespace._sockets.values(), ...namespace._preConnectSockets.values()]) {
        this._clients.cut(socket);
        guarded(() => socket._onclose(reason));
      }
    }
    this._clients.closedAll(reason);
    const broadcasts = this.latest?.broadcastAcks;
    for (const { done } of broadcasts?.values() ?? []) tick(() => done(goneError(reason), []));
    broadcasts?.clear();
  }

  /** @internal */
  _setHooks(hooks: number): void {
    this._session?.native.setHooks(hooks);
  }

  /** The connection to the other nodes changed; every adapter emits that. @internal */
  _clusterChanged(ev: string, detail: unknown): void {
    for (const namespace of this._nsps.values()) namespace._tellAdapter(ev, detail);
  }

  /** A request for one of the client's bundles; the core asks about no others. @internal */
  async _serveFile(text: string): Promise<FileAnswer> {
    const { url, headers } = parseRequest(text);
    return clientFile(fileName(this.path(), url) ?? '', headers);
  }

  /** The handshake of a socket as JSON text; the core gives it out once. @internal */
  _handshakeText(socket: Socket<any, any, any, any>): string | undefined {
    return this.latest?.pump.handshake(socket._handle);
  }

  /** A socket ended. @internal */
  _forget(socket: Socket<any, any, any, any>): void {
    this.latest?.pump.forget(socket);
    this._clients.remove(socket);
  }

  /** Figures of the running server; zeros without one. */
  stats(): ServerStats {
    return statsOf(this._session?.native.stats());
  }

  /** New certificate and key for the own TLS listener; connections stay. */
  reloadTls(cert: string | Buffer, key: string | Buffer): void {
    this._session?.native.reloadTls(Buffer.from(cert as string), Buffer.from(key as string));
  }

  /**
   * Loads a module in C, the same as a C host loads (`kraken_ws_server_load_module`): a shared object that sees clients and
   * what they send before JavaScript does, and may answer, change or refuse it. Its code runs in this process. Returns
   * its name.
   */
  loadModule(path: string, args: readonly string[] = []): string {
    return loadModule(this._session?.native, path, args);
  }

  /** Unloads a module by its name. */
  unloadModule(name: string): void {
    unloadModule(this._session?.native, name);
  }

  /** Adds a middleware to the `/` namespace. */
  use(fn: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this {
    this.sockets.use(fn);
    return this;
  }

  /** Addresses a room, or several. */
  to(room: Room | Room[]): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.to(room);
  }

  /** Alias of `to`. */
  in(room: Room | Room[]): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.to(room);
  }

  /** Addresses everybody except the members of a room, or of several. */
  except(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.except(room);
  }

  /** Sends an event to everybody. */
  override emit<Ev extends EventNamesWithoutAck<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return this.sockets.emit(ev, ...args);
  }

  /** Sends an event to everybody and resolves with their acknowledgements. */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<any> {
    return this.sockets.emitWithAck(ev, ...args);
  }

  /** Sends a `message` event to everybody. */
  send(...args: EventParams<EmitEvents, 'message'>): this {
    this.sockets.send(...args);
    return this;
  }

  /** Alias of `send`. */
  write(...args: EventParams<EmitEvents, 'message'>): this {
    return this.send(...args);
  }

  /** Sends an event to the other servers of the cluster. */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(
    ev: Ev,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Ev>
  ): boolean {
    return this.sockets.serverSideEmit(ev, ...args);
  }

  /** Like `serverSideEmit`, resolving with one response per other server. */
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSideEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<ServerSideEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Ev>>>[]> {
    return this.sockets.serverSideEmitWithAck(ev, ...args);
  }

  /** Ids of all sockets. Deprecated in socket.io: use `fetchSockets`. */
  allSockets(): Promise<Set<SocketId>> {
    return this.sockets.allSockets();
  }

  /** All sockets of the `/` namespace. */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    return this.sockets.fetchSockets();
  }

  /** Puts all sockets into a room, or several. */
  socketsJoin(room: Room | Room[]): void {
    this.sockets.socketsJoin(room);
  }

  /** Takes all sockets out of a room, or several. */
  socketsLeave(room: Room | Room[]): void {
    this.sockets.socketsLeave(room);
  }

  /** Ends all sockets; with `close` their connections too. */
  disconnectSockets(close = false): void {
    this.sockets.disconnectSockets(close);
  }

  /** Whether the next message may be compressed. */
  compress(
    compress: boolean,
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.compress(compress);
  }

  /** The next message may be dropped for clients that can't take it right now. */
  get volatile(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.volatile;
  }

  /** Clients of this server only. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.local;
  }

  /** How long acknowledgements of the next message may take, in milliseconds. */
  timeout(
    timeout: number,
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.sockets.timeout(timeout);
  }
}

// Listeners of the server are listeners of the `/` namespace.
const emitterMethods = EventEmitter.prototype as unknown as Record<string, unknown>;
for (const name of Object.keys(emitterMethods)) {
  if (typeof emitterMethods[name] !== 'function') continue;
  (Server.prototype as unknown as Record<string, unknown>)[name] = function (
    this: Server,
    ...args: unknown[]
  ): unknown {
    const { sockets } = this as unknown as { sockets: Record<string, (...args: unknown[]) => unknown> };
    return sockets[name](...args);
  };
}
