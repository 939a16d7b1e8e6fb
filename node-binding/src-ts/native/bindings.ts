// The exports of the addon. It is loaded here only, when the first native server or emitter is made: on a platform
// without a binary, a process that runs socket.io can still load this package.
import { loadAddon } from './addon';
import type { NativeStats } from './stats';

/** A running core. `pump.ts` reads its events. */
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
  stats(): NativeStats;
  hearsClients(): boolean;
  close(): void;
  end(): void;
  commandRoom(): number;
  executeCommands(lanes: Float64Array, count: number, text: string): void;
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
  nodeCount(namespace: number): number;
  serverSideEmit(namespace: number, data: string, buffers?: Buffer[]): void;
  serverSideEmitWithAck(namespace: number, data: string, timeout: number, buffers?: Buffer[]): number;
  answerServerSide(number: number, data: string, buffers?: Buffer[]): void;
  answerSocketData(number: number, data: string[]): void;
  disconnect(socket: number, close: boolean): void;
  closeConnection(connection: number): void;
  setHooks(hooks: number): void;
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
  executeRawCommands(lanes: Float64Array, count: number, text: string, bytes: Buffer): void;
  watch(conn: number, on: boolean): void;
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

/** `src/exports/emitter.rs`: a fleet, for a process without clients. */
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
