// `io.engine` of the Server door: beside events and figures, the ways in that engine.io's server has.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Connection } from './client';
import { Engine } from './engine';
import type { ServerOptions } from './options';
import { parseRequest } from './request';
import type { Server } from './server';

/** See {@link Engine}; emits `connection` too, with each connection. */
export class ServerEngine extends Engine {
  private standIn: EventEmitter | undefined;

  /** @internal */
  constructor(private readonly io: Server<any, any, any, any>) {
    super(io);
  }

  /** The HTTP server in front, if there is one. */
  get httpServer(): Server['httpServer'] {
    return this.io.httpServer;
  }

  /** Serves an HTTP server, as `io.attach` does. */
  attach(server: HttpServer, options?: Partial<ServerOptions>): void {
    this.io.attach(server, options);
  }

  /** Answers a request that the application got by itself. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void {
    this.front.emit('request', req, res);
  }

  /** Takes an upgrade that the application got by itself. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.front.emit('upgrade', req, socket, head);
  }

  private get front(): EventEmitter {
    return (this.standIn ??= this.io._standIn());
  }

  /** @internal */
  _opened(number: number, id: string, text: string): void {
    const connection = new Connection(id, parseRequest(text), () => this.io._endConnection(number));
    this.io._clients.show(number, connection);
    this.emit('connection', connection);
  }
}
