// Core → JavaScript: takes batches of events from the native server and hands each to whom it concerns.
// `src/batch.rs` is the writing side and describes the format.
import type { Client } from './client';
import type { Commands } from './commands';
import { laneCount, reasons } from './native';
import type { Namespace } from './namespace';
import type { NativeServer } from './native';
import { rejoin } from './payload';
import type { Server } from './server';
import { Socket } from './socket';
import type { DisconnectReason, Event } from './socket-types';
import { timeoutError } from './socket-types';

type AnySocket = Socket<any, any, any, any>;

const CONNECT = 1;
const PACKET = 2;
const PACKET_BINARY = 3;
const ACK = 4;
const ACK_BINARY = 5;
const ACK_TIMEOUT = 6;
const BROADCAST_ACK = 7;
const DISCONNECT = 8;
const NAMESPACE = 9;
const ALLOW_REQUEST = 10;
const HEADERS = 11;
const CONNECTION_ERROR = 13;
const OPEN = 14;
const HTTP_REPLY = 15;
const CLOSED = 16;
const UPGRADED = 17;
const CONNECTION_CLOSED = 30;

const REASONS = reasons() as DisconnectReason[];
/** Reasons that concern one namespace; with all others the whole connection is gone. */
const OF_NAMESPACE: ReadonlySet<DisconnectReason> = new Set([
  'client namespace disconnect',
  'server namespace disconnect',
]);

/** Lanes per event; the head takes as many. */
const LANES = 4;
/** A lane of 29 bits (shard in the low 6) and one of 24 make a handle. */
const GENERATION = 2 ** 29;
const SHARD_BITS = 6;
const SHARD_MASK = 63;

/** Live sockets by shard and slot, and the loop that feeds them. */
export class EventPump {
  private readonly lanes = new Float64Array(laneCount());
  private readonly sockets: (AnySocket | undefined)[][] = [];
  private buffers: Buffer[] = [];
  private taken = 0;
  /** The batch under way: its payloads, how many events it has and how many are dispatched. */
  private payloads: any[] = [];
  private count = 0;
  private at = 0;
  private again = false;

  constructor(
    private readonly server: Server<any, any, any, any>,
    private readonly native: NativeServer,
    private readonly commands: Commands,
  ) {}

  /** Takes one batch; what is left over waits for the next turn of the event loop. */
  readonly pump = (): void => {
    this.again = false;
    // The batch under way takes what is left when it is done.
    if (this.at < this.count) return;
    const { lanes, native } = this;
    const text = native.drain(lanes);
    this.count = lanes[0];
    this.at = 0;
    if (this.count === 0) return this.takeMore();
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
    const low = lanes[(this.at + 1) * LANES + 1];
    do {
      const at = (this.at + 1) * LANES;
      // A handler that throws must reach the process, not stop the sockets behind it.
      try {
        this.event(lanes[at], lanes[at + 1], lanes[at + 2], lanes[at + 3], this.payloads[this.at]);
      } catch (err) {
        throwLater(err);
      }
      this.at += 1;
    } while (this.at < count && lanes[(this.at + 1) * LANES + 1] === low);
    if (this.at < count) return queueMicrotask(this.hop);
    try {
      this.commands.endBatch();
    } catch (err) {
      throwLater(err);
    }
    this.buffers = [];
    this.payloads = [];
    this.takeMore();
  };

  private readonly hop = (): void => process.nextTick(this.step);

  private takeMore(): void {
    if (this.lanes[2] === 0 || this.again) return;
    this.again = true;
    setImmediate(this.pump);
  }

  /** A socket ended; what still comes for its handle is not for it. */
  forget(socket: AnySocket): void {
    const low = socket._handle % GENERATION;
    const table = this.sockets[low & SHARD_MASK];
    if (table?.[low >>> SHARD_BITS] === socket) table[low >>> SHARD_BITS] = undefined;
  }

  /** The handshake of a socket as JSON text; it is given out once. */
  handshake(socket: number): string | undefined {
    return this.native.handshake(socket) ?? undefined;
  }

  private parse(text: string): any[] {
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

  private find(low: number, generation: number): AnySocket | undefined {
    const socket = this.sockets[low & SHARD_MASK]?.[low >>> SHARD_BITS];
    return socket?._handle === generation * GENERATION + low ? socket : undefined;
  }

  private attachments(count: number): Buffer[] {
    this.taken += count;
    return this.buffers.slice(this.taken - count, this.taken);
  }

  private event(kind: number, low: number, generation: number, number: number, payload: any): void {
    switch (kind) {
      case PACKET:
        return this.find(low, generation)?._onevent(payload as Event, number);
      case PACKET_BINARY: {
        const data = rejoin(payload[1], this.attachments(payload[0]));
        return this.find(low, generation)?._onevent(data, number);
      }
      case ACK:
        return this.find(low, generation)?._onack(number, payload);
      case ACK_BINARY: {
        const data = rejoin(payload[1], this.attachments(payload[0]));
        return this.find(low, generation)?._onack(number, data);
      }
      case ACK_TIMEOUT:
        return this.find(low, generation)?._onacktimeout(number);
      case CONNECT:
        return this.connect(low, generation, number, payload);
      case DISCONNECT:
        return this.disconnect(this.find(low, generation), REASONS[number], payload);
      case BROADCAST_ACK:
        return this.broadcastAck(number, payload);
      case NAMESPACE:
        return this.server._askNamespace(payload[0], payload[1], (exists) =>
          this.native.answerNamespace(number, exists),
        );
      case ALLOW_REQUEST:
        return this.server.engine._askAllow(payload[1], (refuse, headers, sid) =>
          this.native.answerAllow(number, refuse, headers, sid),
        );
      case HEADERS:
        return this.native.answerHeaders(number, this.server.engine._askHeaders(payload));
      case CONNECTION_ERROR:
        return this.server.engine._connectionError(number, payload[0], payload[1], payload[2]);
      case OPEN:
        return this.server.engine._opened(number, payload[0], payload[1]);
      case HTTP_REPLY:
        return this.server._httpReply(number, payload[0], payload[1], this.attachments(1)[0]);
      case UPGRADED:
        return this.server._clients.upgraded(number);
      case CONNECTION_CLOSED:
        return this.server._clients.closed(number, REASONS[payload]);
      case CLOSED:
        return this.server._closedNative(this.native);
    }
  }

  private connect(low: number, generation: number, conn: number, payload: [string, string]): void {
    const [name, id] = payload;
    const handle = generation * GENERATION + low;
    const namespace = this.server._nsps.get(name);
    if (!namespace) {
      // Removed while the client was on its way.
      this.handshake(handle);
      this.commands.reject(handle, '{"message":"Invalid namespace"}');
      return;
    }
    namespace._add(this.make(namespace, id, handle, conn));
  }

  private make(namespace: Namespace<any, any, any, any>, id: string, handle: number, conn: number): AnySocket {
    const socket = new Socket(namespace, id, handle, conn);
    const low = handle % GENERATION;
    (this.sockets[low & SHARD_MASK] ??= [])[low >>> SHARD_BITS] = socket;
    this.server._clients.add(socket);
    return socket;
  }

  /** Somebody looks at a namespace for the first time: its sockets get their objects. */
  lookAt(namespace: Namespace<any, any, any, any>): void {
    const there = JSON.parse(this.native.lookAt(namespace._number)) as [string, number, number, boolean][];
    for (const [id, handle, conn, upgraded] of there) {
      const socket = this.make(namespace, id, handle, conn);
      socket.connected = true;
      socket._upgraded = upgraded;
      namespace._sockets.set(id, socket);
    }
  }

  private disconnect(socket: AnySocket | undefined, reason: DisconnectReason, detail: string): void {
    if (!socket) return;
    let client: Client | undefined;
    if (!OF_NAMESPACE.has(reason)) client = this.server._clients.known(socket);
    socket._onclose(reason, detail === '' ? undefined : new Error(detail));
    client?.conn._closed(reason);
  }

  private broadcastAck(id: number, payload: any[]): void {
    const done = this.server._broadcastAcks.get(id);
    this.server._broadcastAcks.delete(id);
    const responses = [];
    for (let i = 1; i < payload.length; i += 2) {
      const buffers = this.attachments(payload[i]);
      responses.push(buffers.length > 0 ? rejoin(payload[i + 1], buffers) : payload[i + 1]);
    }
    done?.(payload[0] ? timeoutError() : null, responses);
  }
}

function throwLater(err: unknown): void {
  process.nextTick(() => {
    throw err;
  });
}
