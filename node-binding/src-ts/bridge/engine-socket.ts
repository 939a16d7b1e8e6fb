// One connection as socket.io sees it: engine.io's `Socket`, with the transport in the core.
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { ConnectionTransport } from '../engine/transport';
import { EmitFlag } from '../generated/wire';
import type { BridgeEngine } from './engine';
import { frameOf } from './raw-commands';

/** Options of a message, as socket.io gives them. */
export interface SendOptions {
  compress?: boolean;
  volatile?: boolean;
}

/** Called when the message has left the server, with the transport. */
export type SentCallback = (transport: Transport) => void;

/** Events per outgoing message. */
const OUTGOING: ReadonlySet<string | symbol> = new Set(['packetCreate', 'flush', 'drain']);
/** Events per heartbeat. The core reports heartbeats only on request. */
const HEARTBEATS: ReadonlySet<string | symbol> = new Set(['packet', 'heartbeat']);

/** Readable part of engine.io's transport. */
export class Transport extends ConnectionTransport {
  /** @internal */
  constructor(
    name: string,
    /** Session id. */
    readonly sid: string,
    owner: EngineSocket,
  ) {
    super(name, owner);
  }
}

/**
 * Emits `data` and `message` with each message, `close` `(reason, description)`, `upgrade` `(transport)`, `packet`,
 * `packetCreate`, `flush`, `drain`, `heartbeat`.
 */
export class EngineSocket extends EventEmitter {
  /** `open`, then `closed`. */
  readyState: 'open' | 'closed' = 'open';
  /** Polling became WebSocket. */
  upgraded = false;
  /** Always `false`: the core does not report probes. */
  readonly upgrading = false;
  /** The transport in use. */
  transport: Transport;
  /** Address of the peer. */
  readonly remoteAddress: string | undefined;
  /** Always empty: packets wait in the core. */
  readonly writeBuffer: object[] = [];
  /** There are listeners of outgoing messages. @internal */
  _watched = false;
  /** There are listeners of `packet` or `heartbeat`. */
  private packets = false;
  /** Options of the last message, if its packet may have further frames. */
  private last: SendOptions | undefined;
  private readonly callbacks: SentCallback[] = [];

  /** @internal */
  constructor(
    /** Session id: a secret of client and server. */
    readonly id: string,
    readonly server: BridgeEngine,
    /** The request that opened the connection. */
    readonly request: IncomingMessage,
    /** Engine.IO protocol, 3 or 4. */
    readonly protocol: number,
    transport: string,
    readonly _handle: number,
  ) {
    super();
    this.remoteAddress = request.socket.remoteAddress;
    this.transport = new Transport(transport, id, this);
  }

  /** Sends a message. */
  send(data: unknown, options?: SendOptions | SentCallback, callback?: SentCallback): this {
    if (typeof options === 'function') return this.send(data, undefined, options);
    if (this.readyState !== 'open') return this;
    const frame = frameOf(data);
    let flags = 0;
    if (options) {
      if (options.compress === false) flags |= EmitFlag.NO_COMPRESS;
      // A message with a callback is never dropped, as with engine.io.
      if (options.volatile && typeof callback !== 'function') flags |= EmitFlag.VOLATILE;
      // socket.io passes the same options object for all frames of a packet; binary frames follow the text.
      if (options === this.last && typeof frame !== 'string') flags |= EmitFlag.MORE;
    }
    this.last = typeof frame === 'string' || flags & EmitFlag.MORE ? options : undefined;
    if (this._watched || this.server._watchesAll) this._created(data, options ?? {});
    const { commands } = this.server;
    if (!commands) return this;
    commands.send(this._handle, frame, flags);
    if (typeof callback === 'function') {
      this.callbacks.push(callback);
      commands.notify(this._handle, this.callbacks.length);
    }
    return this;
  }

  /** Same as `send`. */
  write(data: unknown, options?: SendOptions | SentCallback, callback?: SentCallback): this {
    return this.send(data, options, callback);
  }

  /** Closes the connection after everything that was sent to it. */
  close(_discard?: boolean): this {
    if (this.readyState !== 'open') return this;
    this.server.commands?.close(this._handle);
    this._closed('forced close');
    return this;
  }

  override on(name: string | symbol, listener: (...args: any[]) => void): this {
    this.watch(name);
    return super.on(name, listener);
  }

  override addListener(name: string | symbol, listener: (...args: any[]) => void): this {
    return this.on(name, listener);
  }

  override prependListener(name: string | symbol, listener: (...args: any[]) => void): this {
    this.watch(name);
    return super.prependListener(name, listener);
  }

  private watch(name: string | symbol): void {
    if (HEARTBEATS.has(name)) {
      this.packets = true;
      this.server._wantHeartbeats();
    }
    if (!OUTGOING.has(name)) return;
    this._watched = true;
    this.server._watched.add(this);
  }

  /** Emits the events of an outgoing message. @internal */
  _created(data: unknown, options: SendOptions): void {
    options.compress = options.compress !== false;
    const packet = data ? { type: 'message', options, data } : { type: 'message', options };
    this.emit('packetCreate', packet);
    this.emit('flush', [packet]);
    this.server.emit('flush', this, [packet]);
    this.emit('drain');
    this.server.emit('drain', this);
  }

  /** @internal */
  _message(data: string | Buffer | undefined): void {
    if (this.readyState !== 'open') return;
    if (this.packets) this.emit('packet', data === undefined ? { type: 'message' } : { type: 'message', data });
    this.emit('data', data);
    this.emit('message', data);
  }

  /** @internal */
  _heartbeat(): void {
    if (this.readyState !== 'open') return;
    this.emit('packet', { type: this.protocol === 3 ? 'ping' : 'pong' });
    this.emit('heartbeat');
  }

  /** The oldest message with a callback has left. @internal */
  _sent(): void {
    this.callbacks.shift()?.(this.transport);
  }

  /** @internal */
  _upgrade(): void {
    this.upgraded = true;
    this.transport = new Transport('websocket', this.id, this);
    this.emit('upgrade', this.transport);
  }

  /** @internal */
  _closed(reason: string, description?: Error, byCore = false): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.callbacks.length = 0;
    this.server._left(this, byCore);
    this.emit('close', reason, description);
  }
}
