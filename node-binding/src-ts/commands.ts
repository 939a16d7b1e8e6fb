// JavaScript → core. What the application sends is collected and handed over in one crossing: at the end of
// the batch of events whose handlers are running, else when the current piece of JavaScript is done. A crossing
// per message costs more than the message, and a thread of the core that is woken for a hundred of them at
// once writes them with a few system calls. The order of calls is kept: what can't be collected is sent only
// after what was.
import type { NativeServer } from './native';

/** What a collected command is; `src/deliver.rs` reads them. */
const ACCEPT = 0;
const EMIT = 1;
const ACK = 2;
const PUBLISH_ROOM = 3;
const JOIN = 4;

/** Lanes of one command: kind and namespace, socket, number. */
const LANES = 3;
const NAMESPACE_SHIFT = 8;
/** Commands in one crossing, as many as there are events in a batch. */
const COMMANDS = 256;
/** Characters in one crossing. */
const TEXT = 256 * 1024;
/** Bytes of a character, at most. */
const LARGEST_CHARACTER = 4;
/** Below this much room in the core's command queues a refusal has to reach the call that it refuses. */
const ROOM = 16 * TEXT;

/** The calls that go to the core, in order. */
export class Commands {
  private readonly lanes = new Float64Array(COMMANDS * LANES);
  private lines: string[] = [];
  private count = 0;
  private length = 0;
  /** A batch of events is being dispatched and ends with a flush. */
  private inBatch = false;
  /** A flush waits for the end of the current piece of JavaScript. */
  private scheduled = false;
  /** Bytes that the core's command queues can still take, at least. */
  private room: number;

  constructor(private readonly native: NativeServer) {
    this.room = native.commandRoom();
  }

  /** Handlers run from here on; the core's command queues have `room` bytes to spare. */
  beginBatch(room: number): void {
    this.inBatch = true;
    this.room = room;
  }

  /** The handlers are done. */
  endBatch(): void {
    this.inBatch = false;
    this.flush();
  }

  /** Nothing is collected that might be refused later, when its caller can't be told any more. */
  private get mayCollect(): boolean {
    if (this.room <= ROOM) this.room = this.native.commandRoom();
    return this.room > ROOM;
  }

  private readonly flushLater = (): void => {
    this.scheduled = false;
    this.flush();
  };

  private flush(): void {
    if (this.count === 0) return;
    const { count } = this;
    const text = this.lines.join('\n');
    this.lines = [];
    this.count = 0;
    this.room -= this.length * LARGEST_CHARACTER;
    this.length = 0;
    this.native.deliver(this.lanes, count, text);
  }

  private collect(kind: number, namespace: number, socket: number, number: number, line?: string): void {
    const at = this.count++ * LANES;
    this.lanes[at] = kind | (namespace << NAMESPACE_SHIFT);
    this.lanes[at + 1] = socket;
    this.lanes[at + 2] = number;
    if (line !== undefined) {
      this.lines.push(line);
      this.length += line.length;
    }
    if (this.count === COMMANDS || this.length > TEXT) {
      this.flush();
    } else if (!this.inBatch && !this.scheduled) {
      this.scheduled = true;
      queueMicrotask(this.flushLater);
    }
  }

  /** The native server, when everything collected is on its way. */
  private get direct(): NativeServer {
    this.flush();
    return this.native;
  }

  accept(socket: number): void {
    this.collect(ACCEPT, 0, socket, 0);
  }

  emit(namespace: number, socket: number, data: string, flags: number, buffers?: Buffer[]): void {
    if (!buffers && this.mayCollect) this.collect(EMIT, namespace, socket, flags, data);
    else this.direct.emit(namespace, socket, data, flags, buffers);
  }

  ack(namespace: number, socket: number, id: number, data: string, buffers?: Buffer[]): void {
    if (!buffers && this.mayCollect) this.collect(ACK, namespace, socket, id, data);
    else this.direct.ack(namespace, socket, id, data, buffers);
  }

  publishRoom(namespace: number, room: string, data: string, flags: number): void {
    if (!room.includes('\n') && this.mayCollect) this.collect(PUBLISH_ROOM, namespace, 0, flags, `${room}\n${data}`);
    else this.direct.publishRoom(namespace, room, data, flags);
  }

  join(socket: number, rooms: string[]): void {
    this.collect(JOIN, 0, socket, 0, JSON.stringify(rooms));
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
    this.direct.publish(namespace, rooms, except, data, flags, buffers);
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
    return this.direct.publishWithAck(namespace, rooms, except, data, flags, timeout, buffers);
  }

  reject(socket: number, error: string): void {
    this.direct.reject(socket, error);
  }

  leave(socket: number, room: string): void {
    this.direct.leave(socket, room);
  }

  leaveAll(socket: number): void {
    this.direct.leaveAll(socket);
  }

  socketsJoin(namespace: number, rooms: string[], except: string[], join: string[]): void {
    this.direct.socketsJoin(namespace, rooms, except, join);
  }

  socketsLeave(namespace: number, rooms: string[], except: string[], leave: string[]): void {
    this.direct.socketsLeave(namespace, rooms, except, leave);
  }

  disconnect(socket: number, close: boolean): void {
    this.direct.disconnect(socket, close);
  }

  closeConnection(connection: number): void {
    this.direct.closeConnection(connection);
  }

  removeNamespace(number: number): void {
    this.direct.removeNamespace(number);
  }

  close(): void {
    this.direct.close();
  }
}
