// The server: its namespaces, its life, and socket.io's names for all of it. What it does for "everybody" is
// the `/` namespace's doing.
import { EventEmitter } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import { goneError } from './acks';
import { checkAdapter } from './adapter';
import type { AdapterConstructor } from './adapter';
import { Attachment } from './attach';
import type { BroadcastOperator, PendingBroadcast, RemoteSocket } from './broadcast';
import { Clients } from './client';
import { tick } from './clock';
import { clusterOf } from './cluster/adapter-factories';
import { Fleet } from './cluster/fleet';
import { plainCluster } from './cluster/options';
import type { ClusterOptions } from './cluster/options';
import { clientFile, fileName } from './client-files';
import type { FileAnswer } from './client-files';
import { isDynamic } from './cors';
import { StrictEventEmitter, emitLocally, guarded } from './emitter';
import { encoderOf } from './encoder';
import type { Encoder } from './encoder';
import { coded } from './error';
import { EventPump } from './events';
import { Listener } from './listener';
import { loadModule, unloadModule } from './modules';
import { Namespace } from './namespace';
import type { NamespaceMiddleware, ServerReservedEventsMap } from './namespace';
import { addon } from './native';
import type { ServerStats } from './native';
import { check, coreOptions } from './options';
import type { ServerOptions } from './options';
import { ParentNamespace } from './parent-namespace';
import { Away, withDefaults } from './recovery';
import { parseRequest } from './request';
import { RoomMirror } from './rooms';
import { Run } from './run';
import { ServerEngine } from './server-engine';
import type { Socket } from './socket';
import type { DisconnectReason, Room, SocketId } from './socket-types';
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

/** Decides whether a namespace may be made: `next(null, true)`. */
export type ParentNspNameMatchFn = (
  name: string,
  auth: { [key: string]: any },
  fn: (err: Error | null, success: boolean) => void,
) => void;

/** What a server can be made from: a port, a Unix socket path, or one of Node's HTTP servers. */
export type ServerSource = number | string | HttpServer | HttpsServer | Http2SecureServer | Http2Server;

const NO_FIGURES: ServerStats = {
  connections: 0, sockets: 0, rooms: 0, messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0,
  slowConsumers: 0, slowStalled: 0, slowTooMuch: 0, slowOverBudget: 0, outboxBytes: 0, answerBytes: 0, answersRefused: 0,
  panics: 0, volatileDropped: 0, hostQueueBytes: 0, commandQueueBytes: 0, recoveryBytes: 0, uptimeMs: 0,
  modules: [],
};

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
  /** The layer below: `clientsCount`, and the events `connection_error`, `initial_headers`, `headers`. */
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
    return this._run?.fleet;
  }
  private readonly parentNsps = new Map<ParentNspNameMatchFn, ParentNamespace<any, any, any, any>>();
  private readonly parentsFromRegExp = new Map<RegExp, ParentNamespace<any, any, any, any>>();
  /** `close` was called, and no `attach` since. @internal */
  _closed = false;
  private packetEncoder: Encoder | undefined;
  /** The core, until it begins to close. @internal */
  _run: Run | undefined;
  /** The core, also when it closes or has closed. */
  private latest: Run | undefined;
  /** Options that came with `attach`; the constructor's stay for all runs. */
  private readonly attached: string[] = [];
  /** The path where no `attach` names another. */
  private ownPath = '';

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
    this._opts = { ...opts };
    if (opts.connectionStateRecovery) {
      this._opts.connectionStateRecovery = withDefaults(opts.connectionStateRecovery) as typeof opts.connectionStateRecovery;
    }
    this.path(opts.path ?? '/socket.io');
    if (opts.path === undefined) this.attached.push('path');
    const cluster = clusterOf(opts.adapter);
    if (cluster) {
      delete this._opts.adapter;
      this.setCluster(cluster);
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

  /** Writes packets as this server's parser does; the server itself does not need it. */
  get encoder(): Encoder {
    return (this.packetEncoder ??= encoderOf(this._opts.parser));
  }

  /** The path, or sets it for servers attached later. */
  path(): string;
  path(value: string): this;
  path(value?: string): string | this {
    if (value === undefined) return this._opts.path as string;
    this._opts.path = this.ownPath = value.replace(/\/$/, '');
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
    if (arguments.length === 0) return RoomMirror;
    const cluster = clusterOf(value);
    if (cluster) this.joinCluster(cluster);
    else checkAdapter(value);
    return this;
  }

  /** Whether these are news. */
  private setCluster(cluster: ClusterOptions): boolean {
    const given = this._opts.cluster;
    if (given && JSON.stringify(plainCluster(given)) === JSON.stringify(plainCluster(cluster))) return false;
    if (given) throw coded('ERR_KRAKEN_WS_STATE', new Error('this server is in a fleet already, with other settings'));
    this._opts.cluster = cluster;
    return true;
  }

  private joinCluster(cluster: ClusterOptions): void {
    if (!this.setCluster(cluster)) return;
    try {
      check(this._opts);
      this._run?.native.joinCluster(JSON.stringify(plainCluster(cluster)));
    } catch (err) {
      this._opts.cluster = undefined;
      throw err;
    }
    if (this._run) this._run.fleet = new Fleet(cluster);
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
    const run = this.start(opts);
    if (typeof srv === 'object') {
      this.serve(run, srv as HttpServer, { ...opts, ...this._opts }, () => this.attach(srv, opts));
      this.httpServer = srv;
    } else {
      const listener = new Listener(run.native, () => this.stopListening(run));
      run.listeners.push(listener);
      // Applications ask for the few members that Listener has.
      this.httpServer = listener as unknown as HttpServer;
      listener._listen(String(Number(srv)) === String(srv) ? Number(srv) : srv, this._opts.host);
    }
    return this;
  }

  private serve(run: Run, srv: HttpServer, options: Partial<ServerOptions>, again: () => void): void {
    const path = options.path as string;
    const attachment = new Attachment(run.native, options, path, this.engine);
    attachment.listen(srv, () => run.drain(() => this._closeNative()), again);
    run.attachments.push(attachment);
  }

  /** The core's own listeners take nobody any more. */
  private stopListening(run: Run): void {
    if (run.closing) return;
    run.native.stopListening();
    for (const listener of run.listeners) listener._stopped();
    run.drain(() => this._closeNative());
  }

  /** Options of an `attach` are the server's until it starts again; those of the constructor come first. */
  private takeOptions(opts: Partial<ServerOptions>): void {
    const given: Record<string, unknown> = { ...opts, path: (opts.path ?? this.ownPath).replace(/\/$/, '') };
    const mine = this._opts as Record<string, unknown>;
    if (!this._run) {
      for (const name of this.attached.splice(0)) delete mine[name];
    }
    check({ ...given, ...mine });
    const fresh = Object.keys(given).filter((name) => !(name in mine));
    for (const name of fresh) mine[name] = given[name];
    this.attached.push(...fresh);
  }

  /** A stand-in for an HTTP server whose application passes requests in itself. @internal */
  _standIn(): { front: EventEmitter; run: Run } {
    const front = new EventEmitter();
    front.on('request', (_req, res) => res.writeHead(404).end());
    const run = this.start({});
    this.serve(run, front as HttpServer, this._opts, () => {});
    return { front, run };
  }

  private start(opts: Partial<ServerOptions>): Run {
    this.takeOptions(opts);
    if (this._run) {
      this.engine._hook();
      return this._run;
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
    const native = new (addon().NativeServer)(json, () => run.events.pump());
    // The numbers of an earlier run name others in this one.
    this.endAll('forced close');
    this._closed = false;
    const { connectionStateRecovery: recovery } = options;
    const run = new Run(native, recovery ? new Away(recovery, options) : undefined);
    run.clients = new Clients(this as Server<any, any, any, any>, run);
    run.events = new EventPump(this as Server<any, any, any, any>, run);
    this._clients = run.clients;
    this._run = run;
    this.latest = run;
    for (const namespace of this._nsps.values()) this.link(namespace);
    if (options.cluster) run.fleet = new Fleet(options.cluster);
    this.engine._hook();
    return run;
  }

  private link(namespace: Namespace<any, any, any, any>): void {
    if (!this._run) return;
    const { native, commands } = this._run;
    namespace._number = native.namespace(namespace.name);
    namespace._native = commands;
    if (namespace._quiet) native.overlook(namespace._number);
  }

  /** Broadcasts whose acknowledgements are awaited. @internal */
  get _broadcastAcks(): Map<number, PendingBroadcast> | undefined {
    return this._run?.broadcastAcks;
  }

  /** Sockets that may come back; with the option `connectionStateRecovery`. @internal */
  get _away(): Away | undefined {
    return this.latest?.away;
  }

  /** Somebody looks at the sockets of a namespace. @internal */
  _lookAt(namespace: Namespace<any, any, any, any>): void {
    if (namespace._native) this._run?.events.lookAt(namespace);
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
    if (typeof name === 'function' || name instanceof RegExp) return this.parent(name, fn);
    const full = String(name)[0] === '/' ? String(name) : `/${name}`;
    let namespace = this._nsps.get(full);
    if (!namespace) {
      for (const [pattern, parent] of this.parentsFromRegExp) {
        if (pattern.test(full)) return parent.createChild(full);
      }
      namespace = new Namespace<any, any, any, any>(this, full);
      this._register(namespace);
    }
    if (fn) namespace.on('connect', fn as any);
    return namespace;
  }

  private parent(name: RegExp | ParentNspNameMatchFn, fn?: unknown): ParentNamespace<any, any, any, any> {
    const parent = new ParentNamespace<any, any, any, any>(this);
    if (typeof name === 'function') {
      this.parentNsps.set(name, parent);
    } else {
      if (name.global || name.sticky) {
        throw coded('ERR_KRAKEN_WS_NAME', new Error('stateful regular expressions are not supported'));
      }
      this.parentNsps.set((nsp, _auth, next) => next(null, name.test(nsp)), parent);
      this.parentsFromRegExp.set(name, parent);
    }
    if (fn) parent.on('connect', fn as any);
    return parent;
  }

  /** Takes this server's own engine. The engine of another package is refused: the protocol is the core's. */
  bind(engine: unknown): this {
    if (engine === this.engine) return this;
    const message =
      'io.bind: this server speaks Engine.IO itself; give it the HTTP server with io.attach(httpServer), or keep ' +
      'socket.io and put the native engine under it: bindNative(io)';
    throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
  }

  /** Not here: an app of uWebSockets.js keeps its connections to itself. Use `attach` or a port. */
  attachApp(_app: unknown, _opts?: Partial<ServerOptions>): void {
    const message = 'io.attachApp: connections of uWebSockets.js can not be handed over; use new Server(port or httpServer)';
    throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
  }

  /** A client asks for a namespace that does not exist. @internal */
  _askNamespace(name: string, auth: { [key: string]: any }, answer: (exists: boolean) => void): void {
    const candidates = [...this.parentNsps];
    const next = (at: number): void => {
      if (this._nsps.has(name)) return answer(true);
      if (at === candidates.length) return answer(false);
      const [decide, parent] = candidates[at];
      decide(name, auth, (err, allow) => {
        if (err || !allow) return next(at + 1);
        if (!this._nsps.has(name)) parent.createChild(name);
        answer(true);
      });
    };
    next(0);
  }

  /** Disconnects everybody, stops listening and ends the threads; `fn` and the promise come afterwards. */
  async close(fn?: (err?: Error) => void): Promise<void> {
    for (const namespace of this._nsps.values()) {
      for (const socket of [...namespace._sockets.values()]) {
        // The core still has it for a moment, but what handlers of `disconnect` send to its rooms is not for it.
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
    const { _run: run } = this;
    if (!run) return;
    for (const namespace of this._nsps.values()) namespace._native = undefined;
    this._run = undefined;
    run.close();
  }

  /** The core's last event. @internal */
  _ended(run: Run): void {
    if (this.latest === run) this.endAll('server shutting down');
    run.ended();
  }

  /** What is left of a run: sockets end, and nobody acknowledges any more. */
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
  _setHooks(
    allowRequest: boolean,
    headers: boolean,
    connections: boolean,
    engine: boolean,
    packets: boolean,
  ): void {
    this._run?.native.setHooks(allowRequest, headers, connections, engine);
    this._run?.native.watchNew(packets);
  }

  /** The connection to the other nodes changed; every adapter says so. @internal */
  _clusterChanged(ev: string, detail: unknown): void {
    for (const namespace of this._nsps.values()) namespace._tellAdapter(ev, detail);
  }

  /** A request for one of the client's bundles; others the core does not ask about. @internal */
  async _serveFile(text: string): Promise<FileAnswer> {
    const { url, headers } = parseRequest(text);
    return clientFile(fileName(this.path(), url) ?? '', headers);
  }

  /** The handshake of a socket as JSON text; it is given out once. @internal */
  _handshakeText(socket: Socket<any, any, any, any>): string | undefined {
    return this.latest?.events.handshake(socket._handle);
  }

  /** A socket ended. @internal */
  _forget(socket: Socket<any, any, any, any>): void {
    this.latest?.events.forget(socket);
    this._clients.remove(socket);
  }

  /** Figures of the running server; zeros without one. */
  stats(): ServerStats {
    return this._run?.native.stats() ?? { ...NO_FIGURES };
  }

  /** New certificate and key for the own TLS listener; connections stay. */
  reloadTls(cert: string | Buffer, key: string | Buffer): void {
    this._run?.native.reloadTls(Buffer.from(cert as string), Buffer.from(key as string));
  }

  /**
   * Loads a module in C, the same as a C host loads (`kraken_ws_server_load_module`): a shared object that sees clients and
   * what they send before JavaScript does, and may answer, change or refuse it. Its code runs in this process. Returns
   * its name.
   */
  loadModule(path: string, args: readonly string[] = []): string {
    return loadModule(this._run?.native, path, args);
  }

  /** Unloads a module by its name. */
  unloadModule(name: string): void {
    unloadModule(this._run?.native, name);
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
