// Calls to the core that cross together: at the end of the batch of events whose handlers are running, else when
// the current piece of JavaScript is done. A crossing per message costs more than the message, and a thread of the
// core that is woken for a hundred of them at once writes them with a few system calls.
import { microtask } from './clock';
import { addon } from './bindings';
import type { NativeServer } from './bindings';

/** Commands in one crossing, as many as there are events in a batch. */
const COMMANDS = 256;
/** Characters in one crossing. */
export const TEXT = 256 * 1024;
/** Bytes of a character, at most. */
const LARGEST_CHARACTER = 4;
/** Below this much room in the core's command queues a refusal has to reach the call that it refuses. */
const ROOM = 16 * TEXT;

/** Of all servers of this process: those that have something collected. */
const waiting = new Set<CommandBatch>();

/** What is collected: numbers in lanes, text in lines. */
export abstract class CommandBatch {
  protected readonly lanes: Float64Array;
  private lines: string[] = [];
  private count = 0;
  private length = 0;
  /** A batch of events is being dispatched and ends with a flush. */
  private inBatch = false;
  /** A flush waits for the end of the current piece of JavaScript. */
  private scheduled = false;
  /** What the core counts for a command beside its payload. */
  private readonly share = addon().commandBytes();
  /** Bytes that the core's command queues can still take, at least. */
  private room: number;

  /** `width`: lanes of one command. */
  constructor(
    protected readonly native: NativeServer,
    private readonly width: number,
  ) {
    this.lanes = new Float64Array(COMMANDS * width);
    this.room = native.commandRoom();
  }

  /** Hands `count` commands over, with their lines. */
  protected abstract deliver(count: number, text: string): void;

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
  protected get mayCollect(): boolean {
    if (this.room <= ROOM) this.room = this.native.commandRoom();
    return this.room > ROOM;
  }

  /** Index of the next command's first lane. */
  protected begin(): number {
    if (this.count === 0) waiting.add(this);
    return this.count++ * this.width;
  }

  /** A line of the command that was begun. */
  protected line(line: string): void {
    this.lines.push(line);
    this.length += line.length;
  }

  /** Bytes that the command which was begun has beside its lines. */
  protected weigh(bytes: number): void {
    this.length += bytes;
  }

  /** The command that was begun is complete. */
  protected collected(): void {
    if (this.count === COMMANDS || this.length > TEXT) {
      this.flush();
    } else if (!this.inBatch && !this.scheduled) {
      this.scheduled = true;
      microtask(this.flushLater);
    }
  }

  private readonly flushLater = (): void => {
    this.scheduled = false;
    this.flush();
  };

  /**
   * Sends what is collected, of the other servers of this process too: when two of them are nodes of one fleet, what one
   * was told first must not come after what the other was told then and says over Redis.
   */
  protected flush(): void {
    const failed: unknown[] = [];
    for (const batch of waiting) {
      try {
        batch.handOver();
      } catch (error) {
        // What waits behind it must not wait longer.
        failed.push(error);
      }
    }
    if (failed.length > 0) throw failed[0];
  }

  private handOver(): void {
    waiting.delete(this);
    if (this.count === 0) return;
    const { count } = this;
    const text = this.lines.join('\n');
    this.lines = [];
    this.count = 0;
    this.room -= this.length * LARGEST_CHARACTER + count * this.share;
    this.length = 0;
    this.deliver(count, text);
  }

  /** The native server, when everything collected is on its way. */
  protected get direct(): NativeServer {
    this.flush();
    return this.native;
  }
}
