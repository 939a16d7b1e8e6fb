// Commands that cross to the core together: at the end of the batch of events whose handlers run, else in the next
// microtask. A crossing per message costs more than the message, and a shard that gets a hundred messages at once
// writes them with a few system calls.
import { addon } from './bindings';
import type { NativeServer } from './bindings';
import { microtask } from './clock';

/** Commands in one crossing, as many as there are events in a batch. */
const COMMANDS = 256;
/** Characters in one crossing. */
export const TEXT = 256 * 1024;
/** Bytes of a character, at most. */
const LARGEST_CHARACTER = 4;
/**
 * With less room than this in the core's command queues each command crosses by itself, so that its caller gets a
 * refusal.
 */
const ROOM = 16 * TEXT;

/** Batches with collected commands, of all servers of this process. */
const waiting = new Set<CommandBatch>();

/** Collected commands: numbers in lanes, text in lines. */
export abstract class CommandBatch {
  protected readonly lanes: Float64Array;
  private lines: string[] = [];
  private count = 0;
  private length = 0;
  /** A batch of events is being dispatched and ends with a flush. */
  private inBatch = false;
  /** A microtask will flush. */
  private scheduled = false;
  /** Bytes that the core counts for a command beside its payload. */
  private readonly share = addon().commandBytes();
  /** Least room in the core's command queues, in bytes. */
  private room: number;

  /** `width`: lanes of one command. */
  constructor(
    protected readonly native: NativeServer,
    private readonly width: number,
  ) {
    this.lanes = new Float64Array(COMMANDS * width);
    this.room = native.commandRoom();
  }

  /** Lets the core execute `count` commands; `text` holds their lines. */
  protected abstract execute(count: number, text: string): void;

  /** The handlers of a batch of events run next; the core's command queues have `room` free bytes. */
  beginBatch(room: number): void {
    this.inBatch = true;
    this.room = room;
  }

  /** The handlers of the batch have run. */
  endBatch(): void {
    this.inBatch = false;
    this.flush();
  }

  /**
   * Whether there is room for the next command. If not, it must not be collected: the core may refuse it, and its
   * caller would not learn that.
   */
  protected get mayCollect(): boolean {
    if (this.room <= ROOM) this.room = this.native.commandRoom();
    return this.room > ROOM;
  }

  /** Index of the next command's first lane. */
  protected begin(): number {
    if (this.count === 0) waiting.add(this);
    return this.count++ * this.width;
  }

  /** Adds a line to the command that was begun. */
  protected line(line: string): void {
    this.lines.push(line);
    this.length += line.length;
  }

  /** Counts bytes that the command has beside its lines. */
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
   * Sends the commands of all servers of this process. Two of them may be nodes of one fleet: a command to one must not
   * arrive after a message over Redis that a later command to the other one causes.
   */
  protected flush(): void {
    const failed: unknown[] = [];
    for (const batch of waiting) {
      try {
        batch.handOver();
      } catch (error) {
        // The batches after this one must not wait longer.
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
    this.execute(count, text);
  }

  /** The native server, after a flush. */
  protected get direct(): NativeServer {
    this.flush();
    return this.native;
  }
}
