// Core → JavaScript, for the bridge: dispatches each event to its connection or to the engine.
import { answerHandshake, answerHeaders, tellConnectionError } from '../engine/questions';
import { EventKind } from '../generated/wire';
import type { Attachment } from '../http/attachment';
import type { NativeServer } from '../native/bindings';
import { HandleTable, handleOf, lanesOf } from '../native/handle-table';
import { LANES, Pump } from '../native/pump';
import type { BridgeEngine } from './engine';
import type { EngineSocket } from './engine-socket';
import type { RawCommands } from './raw-commands';


/** Events whose payload is in the JSON of the batch. */
const WITH_JSON: ReadonlySet<number> = new Set([
  EventKind.ALLOW_REQUEST, EventKind.HEADERS, EventKind.CONNECTION_ERROR, EventKind.RAW_OPEN, EventKind.HTTP_REPLY, EventKind.CLOSED, EventKind.UPGRADED, EventKind.RAW_CLOSED,
]);
/**
 * First character of a DISCONNECT packet. A text of another parser may begin with it as well, and is only handled a
 * tick later then.
 */
const DISCONNECT = '1';
/** JSON of a batch without such events. */
const NOTHING = '[]'.length;

/** The open connections by handle, and the dispatch of events to them. */
export class RawPump extends Pump<RawCommands> {
  // socket.io handles each packet in a tick of its own.
  protected override readonly lateHandlers = true;
  private readonly sockets = new HandleTable<EngineSocket>((socket) => socket._handle);
  /** Connections that JavaScript has closed and the core may still have. */
  leaving = 0;

  constructor(
    private readonly engine: BridgeEngine,
    private readonly attachment: Attachment,
    native: NativeServer,
    commands: RawCommands,
  ) {
    super(native, commands);
  }

  /** Handlers of a client's earlier events run before its DISCONNECT and before the end of its connection. */
  protected override apart(kind: number, payload: any): boolean {
    return kind === EventKind.RAW_CLOSED || (kind === EventKind.RAW_MESSAGE && (payload as string).startsWith(DISCONNECT));
  }

  /** A connection ended; unless `byCore`, the core does not know that yet. */
  forget(socket: EngineSocket, byCore: boolean): void {
    this.sockets.remove(socket);
    if (!byCore) this.leaving += 1;
  }

  /** Messages follow the JSON, one after the other; their lengths are in the lanes. */
  protected override parse(text: string): any[] {
    const { lanes } = this;
    const count = lanes[0];
    let messages = 0;
    for (let at = LANES; at <= count * LANES; at += LANES) if (lanes[at] === EventKind.RAW_MESSAGE) messages += lanes[at + 3];
    let start = text.length - messages;
    const json = start === NOTHING ? [] : super.parse(messages === 0 ? text : text.slice(0, start));
    const payloads: any[] = [];
    let next = 0;
    for (let at = LANES; at <= count * LANES; at += LANES) {
      const kind = lanes[at];
      if (kind === EventKind.RAW_MESSAGE) payloads.push(text.slice(start, (start += lanes[at + 3])));
      else payloads.push(WITH_JSON.has(kind) ? json[next++] : undefined);
    }
    return payloads;
  }

  protected override event(kind: number, low: number, generation: number, number: number, payload: any): void {
    switch (kind) {
      case EventKind.RAW_MESSAGE:
        // engine.io's parser gives no data for an empty message.
        return this.sockets.find(low, generation)?._message(payload === '' ? undefined : payload);
      case EventKind.RAW_MESSAGE_BINARY: {
        const [bytes] = this.attachments(1);
        return this.sockets.find(low, generation)?._message(bytes);
      }
      case EventKind.RAW_OPEN:
        return this.engine._connected(handleOf(low, generation), payload, (socket) => this.sockets.add(socket));
      case EventKind.RAW_CLOSED: {
        const detail = payload === '' ? undefined : new Error(payload as string);
        const socket = this.sockets.find(low, generation);
        if (socket) socket._closed(this.reasons[number], detail, true);
        else this.leaving -= 1;
        return;
      }
      case EventKind.RAW_FLUSHED:
        return this.sockets.find(low, generation)?._sent();
      case EventKind.RAW_HEARTBEAT:
        return this.sockets.find(low, generation)?._heartbeat();
      case EventKind.UPGRADED:
        return this.sockets.find(...lanesOf(number))?._upgrade();
      case EventKind.ALLOW_REQUEST:
        return answerHandshake(this.engine, this.native, number, payload);
      case EventKind.HEADERS:
        return answerHeaders(this.engine, this.native, number, payload);
      case EventKind.CONNECTION_ERROR:
        return tellConnectionError(this.engine, number, payload);
      case EventKind.HTTP_REPLY:
        return void this.attachment.reply(number, payload[0], payload[1], this.attachments(1)[0]);
      case EventKind.CLOSED:
        this.native.end();
        return this.attachment.closed();
    }
  }
}
