// Core → JavaScript: takes batches of events from the native server and dispatches them one by one.
// `src/exports/batch.rs` is the writing side and describes the format.
import type { DisconnectReason } from '../generated/codes';
import { LANES_EVENT } from '../generated/wire';
import { addon } from './bindings';
import type { NativeServer } from './bindings';
import { immediate, microtask, tick } from './clock';
import type { CommandBatch } from './command-batch';
import { guarded, throwLater } from './guarded';

/** Lanes per event; the head takes as many. */
export const LANES = LANES_EVENT;

/** Dispatches the events of one server. */
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
  /** Handlers run a tick after their event, also those of the last event. */
  protected readonly lateHandlers: boolean = false;

  constructor(
    protected readonly native: NativeServer,
    protected readonly commands: C,
  ) {}

  /** One event; `low` and `generation` are a handle. */
  protected abstract event(kind: number, low: number, generation: number, number: number, payload: any): void;

  /** Whether an event waits until the handlers of the events before it have run. */
  protected apart(_kind: number, _payload: any): boolean {
    return false;
  }

  /** Takes one batch; what is left over waits for the next turn of the event loop. */
  readonly pump = (): void => {
    this.again = false;
    // After an exception of a handler the core may call before the ticks of the batch under way go on. It does not call
    // again for the same events, so the call is noted.
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
   * Dispatches the events of one socket. Between two sockets promises of handlers are settled, as they are in
   * socket.io, where each socket reads by itself: the answer of an async handler leaves before messages that the next
   * client causes. The microtask runs after those that are queued, the tick after those that they queue.
   */
  private readonly step = (): void => {
    const { lanes, count } = this;
    if (this.at === count) return this.end();
    let at = (this.at + 1) * LANES;
    const low = lanes[at + 1];
    do {
      // An error of a handler must reach the process, not stop the events after it.
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
      // A payload that JSON.parse refuses must not cost the others of the batch.
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
