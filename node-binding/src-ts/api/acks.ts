// Pending acknowledgements of a socket. Each ends once: the client answers, the time limit passes, or the client
// leaves.
import { tick } from '../native/clock';
import { timeoutError } from './socket-types';
import type { DisconnectReason } from './socket-types';

/** A callback for an acknowledgement. */
export interface Ack {
  (...args: any[]): void;
  /** Called with the error if there is no time limit: the callback has no argument for an error then. */
  failed?: (err: Error) => void;
}

/** A pending acknowledgement. */
export interface AwaitedAck {
  /** The event was sent, with this number for its acknowledgement. */
  wait(among: Map<number, AwaitedAck>, id: number): void;
  answered(args: unknown[]): void;
  /** The client left. A callback that can't take an error is dropped. */
  gone(reason: DisconnectReason | undefined): void;
}

/** The error for callbacks when the client left, in the words of socket.io-client. */
export function goneError(reason: DisconnectReason | undefined): Error {
  return Object.assign(new Error('socket has been disconnected'), { reason });
}

/** `timeout`: milliseconds, negative for none; a callback with a limit takes an error first. */
export function awaited(call: Ack, socket: object, timeout: number): AwaitedAck {
  return timeout >= 0 ? new Limited(call, socket, timeout) : new Unlimited(call, socket);
}

class Unlimited implements AwaitedAck {
  private among: Map<number, AwaitedAck> | undefined = undefined;
  private id = -1;
  protected settled = false;

  constructor(
    protected readonly call: Ack,
    protected readonly socket: object,
  ) {}

  wait(among: Map<number, AwaitedAck>, id: number): void {
    if (this.settled) return;
    this.among = among;
    this.id = id;
    among.set(id, this);
  }

  protected settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.among?.delete(this.id);
    return true;
  }

  answered(args: unknown[]): void {
    if (this.settle()) this.call.apply(this.socket, args);
  }

  gone(reason: DisconnectReason | undefined): void {
    const { failed } = this.call;
    if (this.settle() && failed) tick(() => failed(goneError(reason)));
  }
}

class Limited extends Unlimited {
  // A timer of JavaScript, so that fake timers of tests apply to it. The core keeps a time limit of its own.
  private readonly timer: NodeJS.Timeout;

  constructor(call: Ack, socket: object, timeout: number) {
    super(call, socket);
    this.timer = setTimeout(() => this.fail(timeoutError()), timeout);
  }

  private fail(err: Error): void {
    if (this.settle()) this.call.call(this.socket, err);
  }

  protected override settle(): boolean {
    clearTimeout(this.timer);
    return super.settle();
  }

  override answered(args: unknown[]): void {
    if (this.settle()) this.call.apply(this.socket, [null, ...args]);
  }

  override gone(reason: DisconnectReason | undefined): void {
    clearTimeout(this.timer);
    if (!this.settled) tick(() => this.fail(goneError(reason)));
  }
}
