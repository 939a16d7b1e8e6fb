// The WebSocket adapter of a Nest application. It does for gateways what IoAdapter of
// @nestjs/platform-socket.io does, method by method, so that a subclass of that one can extend this one.
import type { Server as HttpServer } from 'node:http';
import { Logger } from '@nestjs/common';
import type { INestApplicationContext } from '@nestjs/common';
import { AbstractWsAdapter } from '@nestjs/websockets';
import type { MessageMappingProperties } from '@nestjs/websockets';
import { Subscription } from 'rxjs';
import type { Observable } from 'rxjs';
import { Server } from '../api/server';
import { coded } from '../native/error';

/** How long a forced close waits for the last messages to clients; loopback takes a few milliseconds, a phone more. */
const LAST_WORDS_MS = 500;

const DOORS = ['server', 'bridge', 'socket.io'] as const;

/** How the application reaches the native core. */
export interface KrakenIoAdapterOptions {
  /**
   * `server`: this package's own server. `bridge`: the application's `socket.io`, with the native engine and rooms
   * under it; for JavaScript adapters and whatever else needs socket.io itself. `socket.io`: the application's
   * `socket.io` as it is, nothing native. Default: the environment variable `KRAKEN_WS_DOOR`, else `server`.
   */
  door?: (typeof DOORS)[number];
}

/** What a client socket has to have; ours and socket.io's both do. */
interface Client {
  on(event: string, listener: (...args: any[]) => void): unknown;
  emit(event: string, ...args: any[]): unknown;
}

/**
 * Puts a Nest application's gateways on the native core.
 *
 * ```ts
 * const app = await NestFactory.create(AppModule);
 * app.useWebSocketAdapter(new KrakenIoAdapter(app));
 * ```
 */
export class KrakenIoAdapter extends AbstractWsAdapter<any, any, any> {
  // Subclasses have members of their own, such as a `logger`: nothing here may have a name that they could use.
  readonly #door: (typeof DOORS)[number];
  readonly #logger = new Logger(KrakenIoAdapter.name);
  /** Subscriptions to the answers of a client's handlers; they end with the client. */
  readonly #underWay = new WeakMap<object, Subscription>();

  /**
   * @param appOrHttpServer the application, or its HTTP server; without one, gateways need a port of their own
   */
  constructor(appOrHttpServer?: INestApplicationContext | HttpServer | object, options: KrakenIoAdapterOptions = {}) {
    super(httpServerOf(appOrHttpServer));
    this.#door = doorOf(options.door);
  }

  /** Called by Nest for each port, path and namespace of the gateways. */
  create(port: number, options?: any): any {
    if (!options) return this.createIOServer(port);
    const { namespace, server, ...rest } = options;
    if (server && typeof server.of === 'function') return server.of(namespace);
    const made = this.createIOServer(port, rest);
    return namespace ? made.of(namespace) : made;
  }

  /** Makes a server. Subclasses extend it to change options, or to set an adapter on what it returns. */
  createIOServer(port: number, options?: any): any {
    const source = this.httpServer && port === 0 ? this.httpServer : port;
    if (this.#door === 'server') return new Server(source, options);
    const io = socketIo(this.#door, source, options);
    if (this.#door === 'bridge') require('../bridge').bindNative(io);
    return io;
  }

  /** Calls back with the reason when a client is gone. */
  override bindClientDisconnect(client: Client, callback: (reason?: unknown) => void): void {
    client.on('disconnect', (reason: unknown) => callback(reason));
  }

  /** Connects a gateway's handlers to a client's events. Their answers end with the client. */
  bindMessageHandlers(
    client: Client,
    handlers: MessageMappingProperties[],
    transform: (data: any) => Observable<any>,
  ): void {
    if (handlers.length === 0) return;
    let underWay = this.#underWay.get(client);
    if (!underWay) {
      const fresh = new Subscription();
      client.on('disconnect', () => fresh.unsubscribe());
      this.#underWay.set(client, (underWay = fresh));
    }
    for (const handler of handlers) this.#bindMessageHandler(client, handler, transform, underWay);
  }

  #bindMessageHandler(
    client: Client,
    { message, callback, isAckHandledManually }: MessageMappingProperties,
    transform: (data: any) => Observable<any>,
    underWay: Subscription,
  ): void {
    client.on(message, (...args: unknown[]) => {
      const { data, ack } = this.mapPayload(args.length > 1 ? args : args[0]);
      const next = (answer: any): void => {
        if (answer === undefined || answer === null) return;
        if (answer.event) client.emit(answer.event, answer.data);
        else if (ack && !isAckHandledManually) ack(answer);
      };
      // Nest's exception filters have run: this is the error of a filter.
      const error = (err: unknown): void => this.#logger.error(err);
      try {
        underWay.add(transform(callback(data, ack)).subscribe({ next, error }));
      } catch (err) {
        error(err);
      }
    });
  }

  /** An event's arguments as `@MessageBody()` and `@Ack()` get them. */
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- what subclasses of IoAdapter return
  mapPayload(payload: unknown): { data: any; ack?: Function } {
    if (typeof payload === 'function') return { data: undefined, ack: payload };
    if (!Array.isArray(payload)) return { data: payload };
    const last: unknown = payload[payload.length - 1];
    if (typeof last !== 'function') return { data: payload };
    const data = payload.length === 2 ? payload[0] : payload.slice(0, -1);
    return { data, ack: last };
  }

  /** Closes a server when the application shuts down. */
  override async close(server: any): Promise<void> {
    if (this.forceCloseConnections && server.httpServer === this.httpServer) {
      // Nest ends all HTTP connections right after this. Those of long-polling may still carry last messages to
      // clients; a request to another route that hangs must not hold up the close for longer.
      let timer: NodeJS.Timeout | undefined;
      const longEnough = new Promise((resolve) => (timer = setTimeout(resolve, LAST_WORDS_MS)));
      await Promise.race([super.close(server), longEnough]).finally(() => clearTimeout(timer));
      return;
    }
    await super.close(server);
  }
}

/** Nest's own check is `instanceof`, which fails where a linked package brings another copy of Nest along. */
function httpServerOf(app: any): object | undefined {
  return typeof app?.getHttpServer === 'function' ? app.getHttpServer() : app;
}

/** The door: that of the option, else that of the environment. */
function doorOf(option: unknown): (typeof DOORS)[number] {
  // An empty variable counts as not set.
  const asked = option ?? (process.env.KRAKEN_WS_DOOR || 'server');
  const door = DOORS.find((known) => known === asked);
  if (door) return door;
  const name = option === undefined ? 'KRAKEN_WS_DOOR' : 'door';
  const expected = DOORS.map((known) => JSON.stringify(known)).join(', ');
  throw coded('ERR_KRAKEN_WS_OPTION', new Error(`${name}: expected one of ${expected}, got ${JSON.stringify(asked)}`));
}

/** A server of the application's own `socket.io`. */
function socketIo(door: string, source: unknown, options: unknown): unknown {
  let found;
  try {
    found = require('socket.io');
  } catch (err) {
    const message = `door "${door}" runs the socket.io package: npm install socket.io`;
    throw coded('ERR_KRAKEN_WS_LOAD', new Error(message, { cause: err }));
  }
  return new found.Server(source, options);
}
