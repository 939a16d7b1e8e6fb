// Connection state recovery. The core keeps ids, rooms and messages of clients that may come back. `socket.data` may
// hold any value, so it is kept here, for the same time.
import { RECOVERABLE } from '../generated/codes';
import type { ConnectionStateRecoveryOptions, ServerOptions } from '../options/server-options';
import type { DisconnectReason, SocketId } from './socket-types';

/** The core learns of a return first: data is kept this much longer. */
const MARGIN = 30_000;
/** Least size of a session in the core: `maxRecoveryBytes` divided by it is the most sessions that there can be. */
const SESSION_BYTES = 160;
const DEFAULT_BYTES = 16 * 1024 * 1024;

/** Fills in the defaults. Anything but an object or `true` stays as it is, for the core to refuse. */
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

  /** Whether a client may come back after its socket ended for this reason. */
  static mayReturn(reason: DisconnectReason): boolean {
    return RECOVERABLE.has(reason);
  }

  keep(id: SocketId, data: unknown): void {
    this.kept.delete(id);
    if (this.kept.size >= this.most) this.dropOldest();
    this.kept.set(id, { data, until: Date.now() + this.duration });
    this.timer ??= setTimeout(this.sweep, this.duration).unref();
  }

  /** Takes out the data of a recovered socket. */
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
