// `io.httpServer` of a server made from a port. The core listens then, and this object has the members of Node's HTTP
// server that applications use.
import cluster from 'node:cluster';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { NativeServer } from '../native/bindings';
import { tick } from '../native/clock';

/** The core's own listener. Emits `listening`, `close` and `error`. */
export class Listener extends EventEmitter {
  /** Bound and accepting. */
  listening = false;
  private bound: AddressInfo | string | null = null;
  /** Has stopped listening, and has not emitted `close` yet. */
  private closing = false;

  /** @internal */
  constructor(
    private readonly native: NativeServer,
    private readonly stopped: () => void,
  ) {
    super();
  }

  /** Binds at once. A failure is emitted as `error`, as by Node's servers. @internal */
  _listen(where: number | string, host: string | undefined): void {
    try {
      this.bound = typeof where === 'string' ? this.bindPath(where) : this.bindPort(where, host);
      this.listening = true;
      this.native.keepProcess(true);
      tick(() => this.emit('listening'));
    } catch (err) {
      const error = err as NodeJS.ErrnoException;
      if (/in use/i.test(error.message)) Object.assign(error, { code: 'EADDRINUSE', syscall: 'listen', port: where });
      tick(() => this.emit('error', error));
    }
  }

  private bindPath(path: string): string {
    this.native.listenUnix(path);
    return path;
  }

  private bindPort(port: number, host: string | undefined): AddressInfo {
    // Workers of a cluster share a port, as with Node's servers, but by SO_REUSEPORT, without the primary.
    const shared = cluster.isWorker;
    let bound: [string, number];
    try {
      bound = this.native.listenTcp(host ?? '::', port, shared);
    } catch (err) {
      // As in Node: IPv6 and IPv4 if the system has both, else IPv4.
      if (host !== undefined || /in use/i.test((err as Error).message)) throw err;
      bound = this.native.listenTcp('0.0.0.0', port, shared);
    }
    const [address, actual] = bound;
    return { address, port: actual, family: address.includes(':') ? 'IPv6' : 'IPv4' };
  }

  /** Where it listens, `null` before and after. */
  address(): AddressInfo | string | null {
    return this.bound;
  }

  /** Lets the process end although this listens. */
  unref(): this {
    this.native.keepProcess(false);
    return this;
  }

  /** Undoes `unref`. */
  ref(): this {
    this.native.keepProcess(this.listening || this.closing);
    return this;
  }

  /** Stops listening. Open connections stay, and `close` is emitted when the last one ends. */
  close(callback?: (err?: Error) => void): this {
    if (!this.listening) {
      const error = Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' });
      if (callback) tick(() => callback(error));
      return this;
    }
    if (callback) this.once('close', callback);
    this.stopped();
    return this;
  }

  /** The core has stopped listening; `close` is emitted when the last connection ends. @internal */
  _stopped(): void {
    if (!this.listening) return;
    this.listening = false;
    this.bound = null;
    this.closing = true;
  }

  /** The core closed. @internal */
  _closed(): void {
    if (!this.listening && !this.closing) return;
    this.listening = false;
    this.closing = false;
    this.bound = null;
    this.emit('close');
  }
}

/** Binds a listener. */
export function listenOn(listener: Listener, where: number | string, host: string | undefined): void {
  listener._listen(where, host);
}

/** Tells a listener that the core has stopped listening. */
export function listenerStopped(listener: Listener): void {
  listener._stopped();
}

/** Tells a listener that the core is closed. */
export function listenerClosed(listener: Listener): void {
  listener._closed();
}
