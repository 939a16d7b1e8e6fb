// An EventEmitter whose listeners and emits are typed by maps, the common base of Server, Namespace, Socket.
import { EventEmitter } from 'node:events';
import type { EventNames, EventParams, EventsMap, ReservedOrUserEventNames, ReservedOrUserListener } from './typed-events';

const emit = EventEmitter.prototype.emit;

/** Typed EventEmitter: `ListenEvents` come in, `EmitEvents` go out, `ReservedEvents` are the library's own. */
export abstract class StrictEventEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap = {},
> extends EventEmitter {
  /** Adds a listener. */
  override on<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this {
    return super.on(ev as string, listener as (...args: any[]) => void);
  }

  /** Adds a listener that is called once. */
  override once<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this {
    return super.once(ev as string, listener as (...args: any[]) => void);
  }

  /** Sends an event to the other side. */
  override emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return super.emit(ev as string, ...args);
  }

  /** The listeners of an event. */
  override listeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Ev,
  ): ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>[] {
    return super.listeners(event as string) as ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>[];
  }

  /** Calls local listeners of one of the library's own events. */
  protected emitReserved<Ev extends EventNames<ReservedEvents>>(
    ev: Ev,
    ...args: EventParams<ReservedEvents, Ev>
  ): boolean {
    return emit.call(this, ev as string, ...args);
  }

  /** Calls local listeners of any event. */
  protected emitUntyped(ev: string, ...args: any[]): boolean {
    return emit.call(this, ev, ...args);
  }
}

/** Calls local listeners with an array of event name and arguments. */
export function emitLocally(emitter: EventEmitter, event: unknown[]): boolean {
  return emit.apply(emitter, event as [string, ...any[]]);
}
