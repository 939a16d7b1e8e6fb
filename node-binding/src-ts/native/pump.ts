// Core → JavaScript: takes batches of events from the native server and dispatches them one by one. `src/batch.rs` is
// the writing side and describes the format.
import { immediate, microtask, tick } from './clock';
import type { CommandBatch } from './command-batch';
import { guarded, throwLater } from './guarded';
import { addon } from './bindings';
import type { NativeServer } from './bindings';
import type { DisconnectReason } from '../generated/codes';

/** Lanes per event; the head takes as many. */
export const LANES = 4;

/** The loop that feeds one server. */
export abstract class Pump<C extends CommandBatch> {
  protected readonly lanes = new Float64Array(addon().laneCount());
  /** Why connections and sockets end, by number. */
  protected readonly reasons = addon().reasons() as DisconnectReason[];
  private buffers: Buffer[] = [];
  private taken = 0;
  /** The batch under way: its payloads, how many events it has and how many are dispatched. */
  private payloads: any[] = [];
  private count = 0;
  private at = 0;
  private running = false;
  private again = false;
  /** The core called while a batch was under way. */
  private left = false;
  /** Handlers run in ticks behind the event, also the last one's. */
  protected readonly lateHandlers: boolean = false;

  constructor(
    protected readonly native: NativeServer,
    protected readonly commands: C,
  ) {}

  /** One event; `low` and `generation` are a handle. */
  protected abstract event(kind: number, low: number, generation: number, number: number, payload: any): void;

  /** An event that waits until the handlers of those before it are done. */
  protected apart(_kind: number, _payload: any): boolean {
    return false;
  }

  /** Takes one batch; what is left over waits for the next turn of the event loop. */
  readonly pump = (): void => {
    this.again = false;
    // An exception suspends the ticks of the batch under way, and the next call may come before they go on. Nobody
    // calls a second time for what this one leaves.
    if (this.running) {
      this.left = true;
      return;
    }
    const { lanes, native } = this;
    this.left = false;
    const text = native.drain(lanes);
    this.count = lanes[0];
    this.at = 0;
    if (this.count === 0) return this.takeMore();
    this.running = true;
    this.buffers = lanes[1] > 0 ? native.takeBuffers() : [];
    this.taken = 0;
    this.payloads = this.parse(text);
    this.commands.beginBatch(lanes[3]);
    this.step();
  };

  /**
   * Dispatches the events of one socket. Between two sockets the promises that their handlers left are settled,
   * as they are when each socket reads by itself: an answer of an async handler leaves before what the next
   * client causes. The microtask runs behind those that are queued, the tick behind those that they queue.
   */
  private readonly step = (): void => {
    const { lanes, count } = this;
    if (this.at === count) return this.end();
    let at = (this.at + 1) * LANES;
    const low = lanes[at + 1];
    do {
      // A handler that throws must reach the process, not stop the sockets behind it.
      try {
        this.event(lanes[at], lanes[at + 1], lanes[at + 2], lanes[at + 3], this.payloads[this.at]);
      } catch (err) {
        throwLater(err);
      }
      this.at += 1;
      at += LANES;
    } while (this.at < count && lanes[at + 1] === low && !this.apart(lanes[at], this.payloads[this.at]));
    if (this.at < count || this.lateHandlers) microtask(this.hop);
    else this.end();
  };

  private readonly hop = (): void => tick(this.step);

  private end(): void {
    this.running = false;
    guarded(() => this.commands.endBatch());
    this.buffers = [];
    this.payloads = [];
    this.takeMore();
  }

  private takeMore(): void {
    if ((this.lanes[2] === 0 && !this.left) || this.again) return;
    this.again = true;
    immediate(this.pump);
  }

  /** The payloads of a batch by event. */
  protected parse(text: string): any[] {
    try {
      return JSON.parse(text);
    } catch {
      // One payload that only the core takes for JSON must not cost the others.
      return this.native.payloads().map((payload) => {
        try {
          return JSON.parse(payload);
        } catch {
          return undefined;
        }
      });
    }
  }

  /** The next attachments of the batch. */
  protected attachments(count: number): Buffer[] {
    this.taken += count;
    return this.buffers.slice(this.taken - count, this.taken);
  }
}
