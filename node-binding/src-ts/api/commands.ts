// JavaScript → core, for the Server door. Commands reach the core in the order of the calls: one that can't be
// collected flushes the collected ones first. `src/exports/command_batch.rs` reads them.
import { CommandKind, LANES_COMMAND, LANES_COMMAND_KIND } from '../generated/wire';
import type { NativeServer } from '../native/bindings';
import { CommandBatch } from '../native/command-batch';
import { roomName, roomNames } from '../native/room-name';

/** Commands to the core, in order. Names of rooms become the core's here. */
export class Commands extends CommandBatch {
  constructor(native: NativeServer) {
    super(native, LANES_COMMAND);
  }

  protected override execute(count: number, text: string): void {
    this.native.executeCommands(this.lanes, count, text);
  }

  private collect(kind: number, namespace: number, socket: number, number: number, line?: string): void {
    const at = this.begin();
    this.lanes[at] = kind | (namespace << LANES_COMMAND_KIND);
    this.lanes[at + 1] = socket;
    this.lanes[at + 2] = number;
    if (line !== undefined) this.line(line);
    this.collected();
  }

  accept(socket: number): void {
    this.collect(CommandKind.ACCEPT, 0, socket, 0);
  }

  emit(namespace: number, socket: number, data: string, flags: number, buffers?: Buffer[]): void {
    if (!buffers && this.mayCollect) this.collect(CommandKind.EMIT, namespace, socket, flags, data);
    else this.direct.emit(namespace, socket, data, flags, buffers);
  }

  ack(namespace: number, socket: number, id: number, data: string, buffers?: Buffer[]): void {
    if (!buffers && this.mayCollect) this.collect(CommandKind.ACK, namespace, socket, id, data);
    else this.direct.ack(namespace, socket, id, data, buffers);
  }

  publishRoom(namespace: number, name: string, data: string, flags: number): void {
    const room = roomName(name);
    if (!room.includes('\n') && this.mayCollect) this.collect(CommandKind.PUBLISH_ROOM, namespace, 0, flags, `${room}\n${data}`);
    else this.direct.publishRoom(namespace, room, data, flags);
  }

  join(socket: number, rooms: string[]): void {
    this.collect(CommandKind.JOIN, 0, socket, 0, JSON.stringify(roomNames(rooms)));
  }

  emitWithAck(
    namespace: number,
    socket: number,
    data: string,
    flags: number,
    timeout: number,
    buffers?: Buffer[],
  ): number {
    return this.direct.emitWithAck(namespace, socket, data, flags, timeout, buffers);
  }

  publish(
    namespace: number,
    rooms: string[],
    except: string[],
    data: string,
    flags: number,
    buffers?: Buffer[],
  ): void {
    this.direct.publish(namespace, roomNames(rooms), roomNames(except), data, flags, buffers);
  }

  publishWithAck(
    namespace: number,
    rooms: string[],
    except: string[],
    data: string,
    flags: number,
    timeout: number,
    buffers?: Buffer[],
  ): number {
    return this.direct.publishWithAck(
      namespace, roomNames(rooms), roomNames(except), data, flags, timeout, buffers,
    );
  }

  reject(socket: number, error: string): void {
    this.direct.reject(socket, error);
  }

  leave(socket: number, room: string): void {
    this.direct.leave(socket, roomName(room));
  }

  leaveAll(socket: number): void {
    this.direct.leaveAll(socket);
  }

  socketsJoin(namespace: number, rooms: string[], except: string[], join: string[], flags: number): void {
    this.direct.socketsJoin(namespace, roomNames(rooms), roomNames(except), roomNames(join), flags);
  }

  socketsLeave(namespace: number, rooms: string[], except: string[], leave: string[], flags: number): void {
    this.direct.socketsLeave(namespace, roomNames(rooms), roomNames(except), roomNames(leave), flags);
  }

  disconnectSockets(namespace: number, rooms: string[], except: string[], close: boolean, flags: number): void {
    this.direct.disconnectSockets(namespace, roomNames(rooms), roomNames(except), close, flags);
  }

  fetchRemote(namespace: number, rooms: string[], except: string[], timeout: number): number {
    return this.direct.fetchRemote(namespace, roomNames(rooms), roomNames(except), timeout);
  }

  fleetRooms(namespace: number): number {
    return this.direct.fleetRooms(namespace);
  }

  nodeCount(namespace: number): number {
    return this.direct.nodeCount(namespace);
  }

  serverSideEmit(namespace: number, data: string, buffers?: Buffer[]): void {
    this.direct.serverSideEmit(namespace, data, buffers);
  }

  serverSideEmitWithAck(namespace: number, data: string, timeout: number, buffers?: Buffer[]): number {
    return this.direct.serverSideEmitWithAck(namespace, data, timeout, buffers);
  }

  disconnect(socket: number, close: boolean): void {
    this.direct.disconnect(socket, close);
  }

  closeConnection(connection: number): void {
    this.direct.closeConnection(connection);
  }

  watch(connection: number, on: boolean): void {
    this.direct.watch(connection, on);
  }

  /** Sends an Engine.IO message to a connection. */
  send(connection: number, data: string | Buffer, flags: number): void {
    if (typeof data === 'string') this.direct.rawSend(connection, data, flags);
    else this.direct.rawSendBinary(connection, data, flags);
  }

  notify(connection: number, number: number): void {
    this.direct.notify(connection, number);
  }

  removeNamespace(number: number): void {
    this.direct.removeNamespace(number);
  }

  close(): void {
    this.direct.close();
  }
}
