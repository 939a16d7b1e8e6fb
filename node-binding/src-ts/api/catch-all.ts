// `onAny` and `onAnyOutgoing`: the two lists of catch-all listeners of a socket.
import { StrictEventEmitter } from './strict-emitter';
import type { EventsMap } from './typed-events';

type Listener = (...args: any[]) => void;

function without(list: Listener[] | undefined, listener?: Listener): Listener[] | undefined {
  if (!list || !listener) return undefined;
  const at = list.indexOf(listener);
  if (at >= 0) list.splice(at, 1);
  return list;
}

/** The base of Socket that has its catch-all listeners. */
export abstract class CatchAllEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
> extends StrictEventEmitter<ListenEvents, EmitEvents, ReservedEvents> {
  /** @internal */
  _any: Listener[] | undefined = undefined;
  /** @internal */
  _anyOutgoing: Listener[] | undefined = undefined;

  /** The first outgoing listener was added (`on`), or the last one removed. @internal */
  abstract _watchOutgoing(on: boolean): void;

  /** Calls `listener` with name and arguments of each incoming event. */
  onAny(listener: Listener): this {
    (this._any ??= []).push(listener);
    return this;
  }

  /** Like `onAny`, ahead of the others. */
  prependAny(listener: Listener): this {
    (this._any ??= []).unshift(listener);
    return this;
  }

  /** Removes one catch-all listener, or all of them. */
  offAny(listener?: Listener): this {
    this._any = without(this._any, listener);
    return this;
  }

  /** The catch-all listeners of incoming events. */
  listenersAny(): Listener[] {
    return (this._any ??= []);
  }

  /** Calls `listener` with name and arguments of each event sent to this client. Acks are not events. */
  onAnyOutgoing(listener: Listener): this {
    this.outgoing().push(listener);
    return this;
  }

  /** Like `onAnyOutgoing`, ahead of the others. */
  prependAnyOutgoing(listener: Listener): this {
    this.outgoing().unshift(listener);
    return this;
  }

  /** Removes one outgoing catch-all listener, or all of them. */
  offAnyOutgoing(listener?: Listener): this {
    const had = this._anyOutgoing !== undefined;
    this._anyOutgoing = without(this._anyOutgoing, listener);
    if (had && !this._anyOutgoing) this._watchOutgoing(false);
    return this;
  }

  /** The catch-all listeners of outgoing events. */
  listenersAnyOutgoing(): Listener[] {
    return this.outgoing();
  }

  /** Tells the outgoing listeners. @internal */
  _notifyOutgoing(data: unknown[]): void {
    if (!this._anyOutgoing) return;
    for (const listener of [...this._anyOutgoing]) listener.apply(this, data);
  }

  private outgoing(): Listener[] {
    if (!this._anyOutgoing) {
      this._anyOutgoing = [];
      this._watchOutgoing(true);
    }
    return this._anyOutgoing;
  }
}
