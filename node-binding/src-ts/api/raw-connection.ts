// Engine.IO on one connection: events per packet, as engine.io emits them, and messages that are sent without
// Socket.IO. Without listeners the core passes no packets to JavaScript.
import { EventEmitter } from 'node:events';
import type { Engine } from '../engine/engine';
import type { ConnectionTransport } from '../engine/transport';
import { EmitFlag } from '../generated/wire';

/** An Engine.IO packet, as its events show it. */
export interface EnginePacket {
  /** `message`, `ping`, `pong`, `close`, … */
  type: string;
  /** What it carries, if anything. */
  data?: string | Buffer;
}

/** What `send` takes. */
export type RawData = string | ArrayBuffer | ArrayBufferView;

/** The calls of a connection to the core. */
export interface ConnectionLink {
  readonly server: Engine;
  end(): void;
  /** Starts or stops the events of the connection's packets. */
  watch(on: boolean): void;
  send(data: string | Buffer, flags: number): void;
  /** Asks for an event with `number` when everything sent so far has left. */
  notify(number: number): void;
}

type SendCallback = (transport: ConnectionTransport) => void;

/** Types of packets, by the digit that they begin with. */
const TYPES = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'];
const WATCHED: ReadonlySet<string | symbol> = new Set([
  'packet', 'packetCreate', 'data', 'message', 'drain', 'flush', 'heartbeat',
]);

function packetOf(wire: string | Buffer): EnginePacket {
  if (typeof wire !== 'string') return { type: 'message', data: wire };
  const type = TYPES[Number(wire[0])] ?? 'error';
  return wire.length > 1 ? { type, data: wire.slice(1) } : { type };
}

/** Sends raw messages and shows packets. */
export abstract class RawConnection extends EventEmitter {
  abstract readyState: 'open' | 'closed';
  abstract transport: ConnectionTransport;
  private watching = false;
  /** Packets that have not left yet; kept only while the core shows packets. */
  private unsent: EnginePacket[] = [];
  /** Callbacks of messages that have not left yet, by number. */
  private readonly waiting = new Map<number, SendCallback>();
  private last = 0;

  /** @internal */
  constructor(protected readonly link: ConnectionLink) {
    super();
    this.attend();
  }

  private attend(): void {
    // `newListener` is emitted before the listener is added.
    super.on('newListener', (name) => this.look(WATCHED.has(name)));
    super.on('removeListener', () => this.look(false));
  }

  /** Removes the listeners of an event, or all. */
  override removeAllListeners(name?: string | symbol): this {
    if (name !== undefined) return super.removeAllListeners(name);
    super.removeAllListeners();
    this.look(false);
    // The two listeners of `attend` were removed as well.
    this.attend();
    return this;
  }

  /**
   * Sends an Engine.IO message without Socket.IO, after everything that was emitted before. `callback` is called with
   * the transport when the message has left.
   */
  send(data: RawData, options?: { compress?: boolean } | SendCallback | null, callback?: SendCallback): this {
    if (typeof options === 'function') return this.send(data, undefined, options);
    if (this.readyState !== 'open') return this;
    this.link.send(messageOf(data), options?.compress === false ? EmitFlag.NO_COMPRESS : 0);
    if (typeof callback === 'function') {
      this.waiting.set(++this.last, callback);
      this.look(false);
      this.link.notify(this.last);
    }
    return this;
  }

  /** Alias of `send`. */
  write(data: RawData, options?: { compress?: boolean } | SendCallback | null, callback?: SendCallback): this {
    return this.send(data, options, callback);
  }

  /**
   * Makes the core show packets while an event of packets has listeners or a message has a callback. The core reports
   * the end of a connection whose packets it shows.
   */
  private look(coming: boolean): void {
    if (this.readyState !== 'open') return;
    const wanted = coming || this.waiting.size > 0 || [...WATCHED].some((name) => this.listenerCount(name) > 0);
    if (wanted === this.watching) return;
    this.watching = wanted;
    this.unsent = [];
    this.link.watch(wanted);
  }

  /**
   * Runs `show`, in which listeners get the new connection. The core shows its packets from the beginning, and stops if
   * no listener of packets was added. @internal
   */
  _announce(show: () => void): void {
    try {
      show();
    } finally {
      if (!this.watching && this.readyState === 'open') this.link.watch(false);
    }
  }

  /** @internal */
  _packetIn(wire: string | Buffer): void {
    if (this.readyState !== 'open') return;
    const packet = packetOf(wire);
    this.emit('packet', packet);
    if (packet.type === 'ping' || packet.type === 'pong') this.emit('heartbeat');
    if (packet.type !== 'message') return;
    this.emit('data', packet.data);
    this.emit('message', packet.data);
  }

  /** @internal */
  _packetOut(wire: string | Buffer): void {
    if (!this.watching) return;
    const packet = packetOf(wire);
    this.unsent.push(packet);
    this.emit('packetCreate', packet);
  }

  /** @internal */
  _drained(): void {
    const packets = this.unsent;
    if (packets.length === 0) return;
    this.unsent = [];
    this.emit('flush', packets);
    this.emit('drain');
  }

  /** @internal */
  _left(number: number): void {
    const callback = this.waiting.get(number);
    this.waiting.delete(number);
    this.look(false);
    callback?.(this.transport);
  }

  /** The connection ended. */
  protected over(): void {
    this.unsent = [];
    this.waiting.clear();
  }
}

function messageOf(data: RawData): string | Buffer {
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return data ? String(data) : '';
}
