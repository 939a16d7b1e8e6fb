// JavaScript → core, for the bridge: messages that socket.io has encoded, and members of rooms. `src/exports/raw.rs` is
// the reading side. Commands reach the core in the order of the calls: one that can't be collected flushes the
// collected ones first.
import { LANES_COMMAND_KIND, LANES_RAW_COMMAND, RawCommandKind } from '../generated/wire';
import type { NativeServer } from '../native/bindings';
import { CommandBatch } from '../native/command-batch';

/** Bytes of binary messages in one crossing. */
const BYTES = 64 * 1024;

/** A message of the engine: text, or bytes. */
export type Frame = string | Uint8Array;

/** A message as the parser of engine.io encodes it. */
export function frameOf(data: unknown): Frame {
  if (typeof data === 'string') return data;
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return data ? String(data as string) : '';
}

/** Commands to the core, in order. */
export class RawCommands extends CommandBatch {
  private readonly bytes = Buffer.allocUnsafeSlow(BYTES);
  private used = 0;

  constructor(native: NativeServer) {
    super(native, LANES_RAW_COMMAND);
  }

  protected override execute(count: number, text: string): void {
    const bytes = this.bytes.subarray(0, this.used);
    this.used = 0;
    this.native.executeRawCommands(this.lanes, count, text, bytes);
  }

  private lane(kind: number, namespace: number, conn: number, number: number, length = 0): void {
    const at = this.begin();
    this.lanes[at] = kind | (namespace << LANES_COMMAND_KIND);
    this.lanes[at + 1] = conn;
    this.lanes[at + 2] = number;
    this.lanes[at + 3] = length;
  }

  /** A message to a connection. */
  send(conn: number, message: Frame, flags: number): void {
    if (typeof message !== 'string') {
      this.sendBytes(conn, message, flags);
    } else if (this.mayCollect && !message.includes('\n')) {
      this.lane(RawCommandKind.SEND, 0, conn, flags);
      this.line(message);
      this.collected();
    } else {
      this.direct.rawSend(conn, message, flags);
    }
  }

  private sendBytes(conn: number, message: Uint8Array, flags: number): void {
    const { length } = message;
    if (length > BYTES || !this.mayCollect) return this.direct.rawSendBinary(conn, message, flags);
    if (this.used + length > BYTES) this.flush();
    // Copied now: the application may change its buffer after the call.
    this.bytes.set(message, this.used);
    this.used += length;
    this.lane(RawCommandKind.SEND_BINARY, 0, conn, flags, length);
    this.weigh(length);
    this.collected();
  }

  /** A packet to a room expression: a text with binary frames after it, or one binary frame. */
  publish(namespace: number, rooms: string[], except: string[], frames: Frame[], flags: number): void {
    const [first] = frames;
    const text = typeof first === 'string' ? first : undefined;
    if (frames.length > 1 || text === undefined || text.includes('\n') || !this.mayCollect) {
      const buffers = (text === undefined ? frames : frames.slice(1)) as Uint8Array[];
      return this.direct.rawPublish(namespace, rooms, except, text, buffers, flags);
    }
    const [room] = rooms;
    if (rooms.length === 1 && except.length === 0 && !room.includes('\n')) {
      this.lane(RawCommandKind.PUBLISH_ROOM, namespace, 0, flags);
      this.line(room);
    } else {
      this.lane(RawCommandKind.PUBLISH, namespace, 0, flags);
      this.line(JSON.stringify([rooms, except]));
    }
    this.line(text);
    this.collected();
  }

  /** A connection joins rooms of a namespace, in which it is known by `id`. */
  join(namespace: number, conn: number, id: string, rooms: string[]): void {
    this.lane(RawCommandKind.JOIN, namespace, conn, 0);
    this.line(JSON.stringify([id, rooms]));
    this.collected();
  }

  leave(namespace: number, conn: number, room: string): void {
    this.lane(RawCommandKind.LEAVE, namespace, conn, 0);
    this.line(JSON.stringify(room));
    this.collected();
  }

  /** A connection leaves a namespace and all its rooms. */
  remove(namespace: number, conn: number): void {
    this.lane(RawCommandKind.REMOVE, namespace, conn, 0);
    this.collected();
  }

  /** Closes a connection after everything that was sent to it. */
  close(conn: number): void {
    this.lane(RawCommandKind.CLOSE, 0, conn, 0);
    this.collected();
  }

  /** Asks for an event once everything sent so far has left the connection. */
  notify(conn: number, number: number): void {
    this.lane(RawCommandKind.NOTIFY, 0, conn, number);
    this.collected();
  }

  namespace(name: string): number {
    return this.direct.namespace(name);
  }

  removeNamespace(number: number): void {
    this.direct.removeNamespace(number);
  }

  closeAll(): void {
    this.direct.close();
  }
}
