// What the addon offers. Nothing else in this package loads it, and it is loaded by the first native server (or
// emitter) that is made: a process that runs socket.io on a platform without a binary can load this package.
import { loadAddon } from './addon';

/** One batch of events: see `events.ts`, the only reader. */
export interface NativeServer {
  listenTcp(host: string, port: number, shared: boolean): [address: string, port: number];
  listenUnix(path: string): void;
  stopListening(): void;
  reloadTls(cert: Buffer, key: Buffer): void;
  namespace(name: string): number;
  removeNamespace(number: number): void;
  drain(lanes: Float64Array): string;
  takeBuffers(): Buffer[];
  payloads(): string[];
  handshake(socket: number): string | null;
  overlook(namespace: number): void;
  lookAt(namespace: number): string;
  keepProcess(keep: boolean): void;
  loadModule(path: string, args: string[]): string;
  unloadModule(name: string): void;
  stats(): ServerStats;
  hearsClients(): boolean;
  close(): void;
  end(): void;
  commandRoom(): number;
  deliver(lanes: Float64Array, count: number, text: string): void;
  accept(socket: number): void;
  reject(socket: number, error: string): void;
  emit(namespace: number, socket: number, data: string, flags: number, buffers?: Buffer[]): void;
  emitWithAck(
    namespace: number,
    socket: number,
    data: string,
    flags: number,
    timeout: number,
    buffers?: Buffer[],
  ): number;
  ack(namespace: number, socket: number, id: number, data: string, buffers?: Buffer[]): void;
  publishRoom(namespace: number, room: string, data: string, flags: number): void;
  publish(
    namespace: number,
    rooms: string[],
    except: string[],
    data: string,
    flags: number,
    buffers?: Buffer[],
  ): void;
  publishWithAck(
    namespace: number,
    rooms: string[],
    except: string[],
    data: string,
    flags: number,
    timeout: number,
    buffers?: Buffer[],
  ): number;
  join(socket: number, rooms: string[]): void;
  leave(socket: number, room: string): void;
  leaveAll(socket: number): void;
  socketsJoin(namespace: number, rooms: string[], except: string[], join: string[], flags: number): void;
  socketsLeave(namespace: number, rooms: string[], except: string[], leave: string[], flags: number): void;
  disconnectSockets(namespace: number, rooms: string[], except: string[], close: boolean, flags: number): void;
  joinCluster(options: string): void;
  fetchRemote(namespace: number, rooms: string[], except: string[], timeout: number): number;
  fleetRooms(namespace: number): number;
  serverCount(namespace: number): number;
  serverSideEmit(namespace: number, data: string, buffers?: Buffer[]): void;
  serverSideEmitWithAck(namespace: number, data: string, timeout: number, buffers?: Buffer[]): number;
  answerServerSide(number: number, data: string, buffers?: Buffer[]): void;
  answerSocketData(number: number, data: string[]): void;
  disconnect(socket: number, close: boolean): void;
  closeConnection(connection: number): void;
  setHooks(
    allowRequest: boolean,
    headers: boolean,
    connections: boolean,
    engine: boolean,
    heartbeats?: boolean,
  ): void;
  answerNamespace(number: number, exists: boolean): void;
  answerAllow(number: number, refuse: string | undefined, headers: string[], sid: string | undefined): void;
  failAllow(number: number): void;
  answerCors(number: number, rules: string | undefined): void;
  answerHeaders(number: number, headers: string[]): void;
  answerEngine(number: number, status: number, headers: string[], body: Buffer | undefined, tag: number): void;
  answerHttp(number: number, status: number, headers: string[], body: Buffer): void;
  adopt(fd: number, head: Buffer, tag: number): void;
  adoptPiped(head: Buffer, address: string, port: number, secure: boolean, tag: number): number;
  http(
    number: number,
    method: string,
    url: string,
    headers: string[],
    body: Buffer,
    address: string,
    port: number,
    secure: boolean,
    tag: number,
  ): void;
  httpOver(number: number, gone: boolean): void;
  rawDeliver(lanes: Float64Array, count: number, text: string, bytes: Buffer): void;
  watch(conn: number, on: boolean): void;
  watchNew(on: boolean): void;
  notify(conn: number, number: number): void;
  rawSend(conn: number, text: string, flags: number): void;
  rawSendBinary(conn: number, bytes: Uint8Array, flags: number): void;
  rawPublish(
    namespace: number,
    rooms: string[],
    except: string[],
    text: string | undefined,
    buffers: Uint8Array[] | undefined,
    flags: number,
  ): void;
}

/** Figures of a running server. */
export interface ServerStats {
  /** Engine connections that are open. */
  connections: number;
  /** Sockets: one per connection and namespace. */
  sockets: number;
  /** Rooms with at least one member, without the sockets' own rooms. */
  rooms: number;
  /** Events and acks received since the start. */
  messagesIn: number;
  /** Packets queued for clients since the start, one per recipient. */
  messagesOut: number;
  /** Payload bytes received since the start. */
  bytesIn: number;
  /** Payload bytes queued for clients since the start. */
  bytesOut: number;
  /** Connections closed because they did not read. */
  slowConsumers: number;
  /** Of these: took nothing for `outboxTimeout` while more than `maxOutboxBytes` waited. */
  slowStalled: number;
  /** Of these: more than `hardOutboxBytes` waited. */
  slowTooMuch: number;
  /** Of these: made the least progress when `totalOutboxBytes` was exceeded. */
  slowOverBudget: number;
  /** Volatile packets that were dropped. */
  volatileDropped: number;
  /** Bytes that wait for clients which did not take them at once; a message for many counts once. */
  outboxBytes: number;
  /** Bytes of events that wait for JavaScript. */
  hostQueueBytes: number;
  /** Bytes of messages that wait for a thread of the core. */
  commandQueueBytes: number;
  /** Bytes of answers to broadcasts with acknowledgements, and of other nodes, that are being collected. */
  answerBytes: number;
  /** Answers that found no room (`maxAnswerBytes`). */
  answersRefused: number;
  /** Panics that were caught in the native code: each is a bug of this package. */
  panics: number;
  /** Bytes of messages and sessions kept for clients that may come back. */
  recoveryBytes: number;
  /** Milliseconds since the server was made. */
  uptimeMs: number;
  /** What the modules of `io.loadModule` have done, in the order in which they were loaded. */
  modules: ModuleStats[];
  /** The connection to the other nodes; with the option `cluster`. */
  cluster?: ClusterStats;
}

/** Figures of a module. */
export interface ModuleStats {
  /** The name that it gave itself, or its file's. */
  name: string;
  /** The file. */
  path: string;
  /** Calls of its functions. */
  calls: number;
  /** Events that it kept to itself. */
  dropped: number;
  /** Events that it changed. */
  replaced: number;
  /** Clients that it turned away. */
  rejected: number;
}

/** Figures of a server's part in its fleet. */
export interface ClusterStats {
  /** Connected to Redis, and everything is subscribed. */
  up: boolean;
  /** Nodes in the fleet that Redis counted last, this one included; 0 before the first count. */
  nodes: number;
  /** Messages published since the start. */
  published: number;
  /** Messages of other nodes that came. */
  received: number;
  /** Messages that did not reach Redis: they were too many while it was away, or it refused them. */
  lost: number;
  /** Messages whose connection broke before Redis confirmed them; they may have arrived, and are not sent again. */
  unconfirmed: number;
  /** Messages of other nodes that this one had no room for in time. */
  lostHere: number;
  /** Connections to Redis made anew. */
  reconnects: number;
  /** How often this node was cut off from Redis after it had been connected: what others sent meanwhile it has not heard. */
  gaps: number;
  /** For how many milliseconds altogether. */
  gapMs: number;
  /** Bytes of messages that wait for Redis. */
  queuedBytes: number;
  /** Messages that nobody could read. */
  malformed: number;
  /** Messages for rooms that have no member here: dropped unread. */
  droppedNoRoom: number;
}

/** `src/emitter.rs`: a fleet, for a process without clients. */
export interface NativeEmitter {
  publish(nsp: string, rooms: string[], except: string[], data: string, flags: number, buffers?: Buffer[]): void;
  socketsJoin(nsp: string, rooms: string[], except: string[], join: string[]): void;
  socketsLeave(nsp: string, rooms: string[], except: string[], leave: string[]): void;
  disconnectSockets(nsp: string, rooms: string[], except: string[], close: boolean): void;
  serverSideEmit(nsp: string, data: string, buffers?: Buffer[]): void;
  flush(timeout: number, end: boolean): Promise<string | null>;
}

interface Addon {
  NativeServer: new (options: string, onWake: () => void, raw?: boolean) => NativeServer;
  NativeEmitter: new (options: string) => NativeEmitter;
  checkOptions(options: string): string[];
  reasons(): string[];
  laneCount(): number;
  commandBytes(): number;
}

let loaded: Addon | undefined;

/** The addon, loaded by the first call. Throws `ERR_KRAKEN_WS_LOAD`. */
export function addon(): Addon {
  return (loaded ??= loadAddon() as Addon);
}
