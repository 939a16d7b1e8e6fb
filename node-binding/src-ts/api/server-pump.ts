// Core → JavaScript, for the Server door: dispatches each event to its socket, its connection, the engine or the
// server.
import { answerCors, answerHandshake, answerHeaders, answerMiddlewares, tellConnectionError } from '../engine/questions';
import { ENDS_SOCKET } from '../generated/codes';
import { EventKind } from '../generated/wire';
import { guarded } from '../native/guarded';
import { HandleTable, handleOf, lanesOf } from '../native/handle-table';
import { encode, rejoin, responsesOf } from '../native/payload';
import { Pump } from '../native/pump';
import { roomOf } from '../native/room-name';
import type { Commands } from './commands';
import type { Namespace, SessionEndReason } from './namespace';
import type { NativeSession } from './native-session';
import type { Server } from './server';
import { ACK, EVENT, Socket } from './socket';
import { timeoutError } from './socket-types';
import type { DisconnectReason } from './socket-types';

type AnySocket = Socket<any, any, any, any>;


function descriptionOf(detail: string): Error | undefined {
  return detail === '' ? undefined : new Error(detail);
}

/** The live sockets by handle, and the dispatch of events to them. */
export class ServerPump extends Pump<Commands> {
  private readonly sockets = new HandleTable<AnySocket>((socket) => socket._handle);

  constructor(
    private readonly server: Server<any, any, any, any>,
    private readonly session: NativeSession,
  ) {
    super(session.native, session.commands);
  }

  /** A socket ended: later events with its handle are not for it. */
  forget(socket: AnySocket): void {
    this.sockets.remove(socket);
  }

  /** The handshake of a socket as JSON text; the core gives it out once. */
  handshake(socket: number): string | undefined {
    return this.native.handshake(socket) ?? undefined;
  }

  protected override event(kind: number, low: number, generation: number, number: number, payload: any): void {
    switch (kind) {
      case EventKind.EVENT:
        return this.packet(this.sockets.find(low, generation), EVENT, payload, number);
      case EventKind.EVENT_BINARY: {
        const data = rejoin(payload[1], this.attachments(payload[0]));
        return this.packet(this.sockets.find(low, generation), EVENT, data, number);
      }
      case EventKind.ACK:
        return this.packet(this.sockets.find(low, generation), ACK, payload, number);
      case EventKind.ACK_BINARY: {
        const data = rejoin(payload[1], this.attachments(payload[0]));
        return this.packet(this.sockets.find(low, generation), ACK, data, number);
      }
      case EventKind.CONNECT:
        return this.connect(low, generation, number, payload);
      case EventKind.DISCONNECT:
        return this.disconnect(this.sockets.find(low, generation), this.reasons[number], payload);
      case EventKind.BROADCAST_ANSWERS:
        return this.broadcastAnswers(number, responsesOf(payload, 3, this.take));
      case EventKind.BROADCAST_ACK:
        return this.broadcastAck(number, payload);
      case EventKind.NAMESPACE:
        return this.server._dynamic.ask(payload[0], payload[1], (exists) =>
          this.native.answerNamespace(number, exists),
        );
      case EventKind.ALLOW_REQUEST:
        return answerHandshake(this.server.engine, this.native, number, payload);
      case EventKind.HEADERS:
        return answerHeaders(this.server.engine, this.native, number, payload);
      case EventKind.ENGINE:
        return answerMiddlewares(this.server.engine, this.native, number, payload);
      case EventKind.HTTP:
        // The body of the request. The core asks for files only, which need none.
        this.attachments(1);
        return void this.server._serveFile(payload).then(([status, headers, body]) => {
          this.native.answerHttp(number, status, headers, body);
        });
      case EventKind.CORS:
        return answerCors(this.server.engine, this.native, number, payload);
      case EventKind.CONNECTION_ERROR:
        return tellConnectionError(this.server.engine, number, payload);
      case EventKind.OPEN:
        return this.server.engine._opened(this.session.clients, number, payload[0], payload[1]);
      case EventKind.HTTP_REPLY:
        return this.reply(number, payload[0], payload[1], this.attachments(1)[0]);
      case EventKind.UPGRADED:
        return this.session.clients.upgraded(number);
      case EventKind.PACKET_IN: {
        const packet = payload === 0 ? this.attachments(1)[0] : payload;
        return this.session.clients.lookedInto(number)?._packetIn(packet);
      }
      case EventKind.PACKET_OUT: {
        const packet = payload === 0 ? this.attachments(1)[0] : payload;
        return this.session.clients.lookedInto(number)?._packetOut(packet);
      }
      case EventKind.DRAINED:
        return this.session.clients.lookedInto(number)?._drained();
      case EventKind.FLUSHED:
        return this.session.clients.lookedInto(number)?._left(payload);
      case EventKind.CONNECTION_CLOSED:
        return this.session.clients.closed(number, this.reasons[payload[0]], descriptionOf(payload[1]));
      case EventKind.FLEET:
        return this.session.fleet?.settle(number, payload, this.take);
      case EventKind.SERVER_SIDE:
        return this.serverSide(number, payload);
      case EventKind.SOCKET_DATA:
        return this.native.answerSocketData(number, payload.map((handle: number) => this.byHandle(handle)?._dataText() ?? '{}'));
      case EventKind.CLUSTER:
        return this.server._clusterChanged(payload[0], payload[1]);
      case EventKind.MOVED:
        return this.moved(payload);
      case EventKind.SESSION_END:
        return this.sessionEnd(payload);
      case EventKind.CLOSED:
        return this.server._ended(this.session);
    }
  }

  /** `pending` is given for a recovered socket and for one that a module accepted, `rooms` for a recovered one. */
  private connect(
    low: number,
    generation: number,
    conn: number,
    payload: [name: string, id: string, pending?: boolean, rooms?: string[]],
  ): void {
    const [name, id, pending = true, rooms] = payload;
    const handle = handleOf(low, generation);
    const namespace = this.server._nsps.get(name);
    if (namespace && namespace._native !== this.commands) {
      // The server is closing, or has started another session.
      this.handshake(handle);
      return;
    }
    if (!namespace) {
      // The namespace was removed while the client connected.
      this.handshake(handle);
      if (pending) this.commands.reject(handle, '{"message":"Invalid namespace"}');
      else this.commands.disconnect(handle, false);
      return;
    }
    const socket = this.make(namespace, id, handle, conn);
    if (rooms) socket._recover(rooms.map(roomOf));
    namespace._add(socket, pending);
  }

  private make(namespace: Namespace<any, any, any, any>, id: string, handle: number, conn: number): AnySocket {
    const socket = new Socket(namespace, id, handle, conn, this.session.clients);
    this.sockets.add(socket);
    this.session.clients.add(socket);
    return socket;
  }

  /** A namespace is read for the first time: its sockets get objects. */
  lookAt(namespace: Namespace<any, any, any, any>): void {
    const there = JSON.parse(this.native.lookAt(namespace._number)) as [string, number, number, boolean][];
    for (const [id, handle, conn, upgraded] of there) {
      const socket = this.make(namespace, id, handle, conn);
      socket.connected = true;
      socket._upgraded = upgraded;
      namespace._sockets.set(id, socket);
    }
  }

  private packet(socket: AnySocket | undefined, type: number, data: unknown[], number: number): void {
    if (!socket) return;
    const { name: nsp } = socket.nsp;
    socket._onpacket(number >= 0 ? { type, nsp, id: number, data } : { type, nsp, data });
  }

  private disconnect(socket: AnySocket | undefined, reason: DisconnectReason, detail: string): void {
    if (!socket) return;
    if (!ENDS_SOCKET.has(reason)) this.session.clients.cut(socket);
    const description = descriptionOf(detail);
    // The core closed the connection because of a packet that it can't parse or that is not allowed at this point.
    if (description && reason === 'forced close' && socket.connected) guarded(() => socket._onerror(description));
    socket._onclose(reason, description);
  }

  private reply(number: number, status: number, headers: string[], body: Buffer): void {
    this.session.attachments.some((attachment) => attachment.reply(number, status, headers, body));
  }

  /** Part of the answers: many come in several events. */
  private broadcastAnswers(id: number, answers: unknown[]): void {
    this.session.broadcastAcks.get(id)?.answers.push(answers);
  }

  private broadcastAck(id: number, payload: any[]): void {
    const pending = this.session.broadcastAcks.get(id);
    this.session.broadcastAcks.delete(id);
    const last = responsesOf(payload, 3, this.take);
    const [timedOut, missing, missingSockets] = payload;
    const err = timedOut || missing > 0 ? Object.assign(timeoutError(), { missingSockets }) : null;
    if (err && this.session.fleet) Object.assign(err, { missing });
    pending?.done(err, [...pending.answers, last].flat());
  }

  private readonly take = (count: number): Buffer[] => this.attachments(count);

  /** A `serverSideEmit` of another node. That node waits for an answer unless `number` is negative. */
  private serverSide(number: number, [count, name, data]: [number, string, unknown[]]): void {
    if (count > 0) rejoin(data, this.attachments(count));
    if (number >= 0) {
      let answered = false;
      data.push((arg: unknown) => {
        if (answered) return;
        answered = true;
        const { text, buffers } = encode([arg]);
        this.native.answerServerSide(number, text.slice(1, -1), buffers);
      });
    }
    this.server._nsps.get(name)?._onServerSideEmit(data);
  }

  private moved([name, joined, room, handles]: [string, boolean, string, number[]]): void {
    const namespace = this.server._nsps.get(name);
    if (!namespace) return;
    namespace._look();
    namespace._moved(joined, roomOf(room), handles.map((handle) => this.byHandle(handle)));
  }

  private sessionEnd([reason, name, id, ...rooms]: [SessionEndReason, string, string, ...string[]]): void {
    const data = this.server._away?.take(id);
    this.server._nsps.get(name)?._sessionEnd({ id, rooms: new Set(rooms.map(roomOf)), data: data ?? {}, reason });
  }

  private byHandle(handle: number): AnySocket | undefined {
    return this.sockets.find(...lanesOf(handle));
  }
}
