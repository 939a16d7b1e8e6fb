// `bindNative(io)`: the native engine under a server of socket.io itself. The application keeps socket.io, with its
// adapters, parsers and plugins; connections, heartbeats and fan-out move to the core.
import type { Server as HttpServer } from 'node:http';
import { BridgeEngine } from './engine';
import { Members } from './members';
import { serve } from './native-rooms';
import { rawOptions } from './options';
import type { BridgeOptions } from './options';
import type { IoEngine, IoNamespace, IoServer } from './socketio';

export type { BridgeOptions } from './options';
export { BridgeEngine } from './engine';
export { EngineSocket } from './engine-socket';

const bridges = new WeakMap<object, Bridge>();
const followed = new WeakSet<object>();

function refuse(message: string, code = 'UNSUPPORTED'): never {
  throw Object.assign(new Error(`bindNative: ${message}`), { code: `ERR_KRAKEN_WS_${code}` });
}

/** One bound server. */
class Bridge {
  private engine: BridgeEngine | undefined;
  private readonly path: string;

  constructor(
    private readonly io: IoServer,
    private readonly options: BridgeOptions,
  ) {
    this.path = io.path();
    // Wrong options throw here, not when the server gets its HTTP server.
    rawOptions({ ...io.opts, path: this.path }, options);
  }

  /** Refuses options that the core can't have for a further HTTP server, before that server is attached. */
  check(options: Record<string, unknown>): void {
    const path = (this.engine?.opts as { path?: string } | undefined)?.path;
    if (path !== undefined && options.path !== path) {
      refuse(`one path for all HTTP servers, got ${JSON.stringify(options.path)} for another one`);
    }
    rawOptions(options, this.options);
  }

  /** Replaces an engine that socket.io has made for an HTTP server. */
  takeOver(old: IoEngine, server: HttpServer): BridgeEngine {
    const { io } = this;
    const first = !this.engine;
    const engine = (this.engine ??= new BridgeEngine(old.opts, rawOptions(old.opts, this.options)));
    // engine.io's listeners stay on the HTTP server and call these methods.
    old.handleRequest = (req, res) => engine.handleRequest(req, res);
    old.handleUpgrade = (req, socket, head) => engine.handleUpgrade(req, socket, head);
    engine._follow(server);
    if (first) {
      inherit(engine, old);
      io.bind(engine);
      engine._start();
      for (const namespace of io._nsps.values()) this.serve(namespace);
    } else {
      io.engine = engine as unknown as IoEngine;
    }
    io.eio = engine;
    return engine;
  }

  /** Serves a namespace's adapter. */
  serve(namespace: IoNamespace): void {
    const { adapter } = namespace;
    if (this.engine && adapter) serve(adapter, new Members(adapter, this.engine));
  }
}

/** Copies listeners, middlewares and `generateId` of the application from the old engine. */
function inherit(engine: BridgeEngine, old: IoEngine): void {
  for (const name of old.eventNames()) {
    for (const listener of old.rawListeners(name)) {
      // socket.io adds this listener to the new engine itself.
      if (name === 'connection' && listener.name === 'bound onconnection') continue;
      engine.on(name, listener as (...args: unknown[]) => void);
    }
  }
  const middlewares = old.middlewares ?? (old.corsMiddleware ? [old.corsMiddleware] : []);
  for (const middleware of middlewares) engine.use(middleware as Parameters<BridgeEngine['use']>[0]);
  if (Object.hasOwn(old, 'generateId')) engine.generateId = old.generateId as BridgeEngine['generateId'];
}

/** Serves the adapters that socket.io makes later, with a namespace or by `io.adapter(…)`. */
function followAdapters(io: IoServer): void {
  let proto = Object.getPrototypeOf(io.sockets);
  while (proto && !Object.hasOwn(proto, '_initAdapter')) proto = Object.getPrototypeOf(proto);
  if (!proto || followed.has(proto)) return;
  followed.add(proto);
  const original = (proto as IoNamespace)._initAdapter;
  (proto as IoNamespace)._initAdapter = function (this: IoNamespace) {
    original.call(this);
    bridges.get(this.server)?.serve(this);
  };
}

function isServer(io: unknown): io is IoServer {
  const server = io as IoServer | null | undefined;
  return (
    typeof server === 'object' && server !== null && server._nsps instanceof Map &&
    typeof server.bind === 'function' && typeof server.initEngine === 'function'
  );
}

/**
 * Puts the native engine under a server of socket.io 4, made in any of its ways, before or after it got its HTTP
 * server, but before clients are connected. Broadcasts of its in-memory adapter, and of adapters derived from that, are
 * fanned out by the core.
 *
 * @param io the server, from `new Server(…)` of the package `socket.io`
 * @param options the core's own options; all others are those of `io`
 * @returns `io`
 */
export function bindNative<T>(io: T, options: BridgeOptions = {}): T {
  const server = io as unknown;
  if (!isServer(server)) refuse('expected a Server of the package socket.io 4', 'ARGUMENT');
  if (bridges.has(server)) refuse('this server is bound already');
  const old = server.engine;
  if (old && (!server.httpServer || typeof old.handleUpgrade !== 'function')) {
    refuse('this server runs on an engine of another kind (attachApp); make it from an HTTP server or a port');
  }
  if (old && old.clientsCount > 0) refuse('clients are connected already; bind before the server listens');
  const bridge = new Bridge(server, options);
  bridges.set(server, bridge);
  followAdapters(server);
  const { initEngine } = server;
  server.initEngine = (httpServer, engineOptions) => {
    bridge.check(engineOptions);
    initEngine.call(server, httpServer, engineOptions);
    bridge.takeOver(server.eio as IoEngine, httpServer);
  };
  server.attachApp = () => refuse('attachApp is the engine of another kind; use attach with an HTTP server or a port');
  if (old) bridge.takeOver(old, server.httpServer as HttpServer);
  return io;
}
