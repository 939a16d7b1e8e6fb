// Connection state recovery: the core keeps ids, rooms and messages of clients that may come back. What it can't
// keep is `socket.data`, which may hold anything; that stays here, for as long.
import type { ConnectionStateRecoveryOptions, ServerOptions } from '../options/server-options';
import type { DisconnectReason, SocketId } from './socket-types';

/** Reasons after which a client may come back: socket.io's, as in the core's `shard/recovery.rs`. */
const RECOVERABLE: ReadonlySet<DisconnectReason> = new Set([
  'transport error',
  'transport close',
  'forced close',
  'ping timeout',
  'server shutting down',
  'forced server close',
]);

/** The core hears of a return in time, we a little later. */
const MARGIN = 30_000;
/** What a session weighs in the core at least; with `maxRecoveryBytes` it says how many there can be. */
const SESSION_BYTES = 160;
const DEFAULT_BYTES = 16 * 1024 * 1024;

/** With the defaults of what is not given; anything but an object or `true` is left for the core to refuse. */
export function withDefaults(given: unknown): unknown {
  if (given !== true && (typeof given !== 'object' || given === null)) return given;
  return { maxDisconnectionDuration: 120_000, skipMiddlewares: true, ...(given as object) };
}

/** `data` of sockets whose clients are away. */
export class Away {
  private readonly kept = new Map<SocketId, { data: unknown; until: number }>();
  private readonly duration: number;
  private readonly most: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(rules: Partial<ConnectionStateRecoveryOptions>, options: Partial<ServerOptions>) {
    this.duration = (rules.maxDisconnectionDuration ?? 120_000) + MARGIN;
    this.most = Math.ceil((options.maxRecoveryBytes ?? DEFAULT_BYTES) / SESSION_BYTES);
  }

  /** Whether a client may come back after that. */
  static mayReturn(reason: DisconnectReason): boolean {
    return RECOVERABLE.has(reason);
  }

  keep(id: SocketId, data: unknown): void {
    this.kept.delete(id);
    if (this.kept.size >= this.most) this.dropOldest();
    this.kept.set(id, { data, until: Date.now() + this.duration });
    this.timer ??= setTimeout(this.sweep, this.duration).unref();
  }

  /** The data of a socket that is back. */
  take(id: SocketId): unknown {
    const data = this.kept.get(id)?.data;
    this.kept.delete(id);
    return data;
  }

  clear(): void {
    this.kept.clear();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private dropOldest(): void {
    for (const id of this.kept.keys()) {
      this.kept.delete(id);
      return;
    }
  }

  private readonly sweep = (): void => {
    const now = Date.now();
    this.timer = undefined;
    for (const [id, { until }] of this.kept) {
      if (until > now) {
        this.timer = setTimeout(this.sweep, until - now).unref();
        return;
      }
      this.kept.delete(id);
    }
  };
}
