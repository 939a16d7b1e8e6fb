// Responses for middlewares where Node has none. On an upgrade middleware gets an object that takes headers for the 101
// answer, and ends the connection when it is ended, as engine.io's does. On the core's own listener it gets a response
// that collects what it is told, and the core sends that.
import { EventEmitter } from 'node:events';
import { ServerResponse } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { tick } from '../native/clock';
import type { EngineRequest } from './request';

/** The part of a response that middleware can rely on for all requests. */
export type EngineResponse = ServerResponse | UpgradeResponse;

/** In place of the response of an upgrade, for which Node makes none. */
export class UpgradeResponse extends EventEmitter {
  /** Headers for the 101 answer. */
  readonly headers: Record<string, unknown> = {};

  /** @internal */
  constructor(
    readonly req: IncomingMessage,
    readonly socket: Duplex,
  ) {
    super();
    socket.once('close', () => this.emit('close'));
  }

  setHeader(name: string, value: unknown): this {
    this.headers[name] = value;
    return this;
  }

  getHeader(name: string): unknown {
    return this.headers[name];
  }

  removeHeader(name: string): void {
    delete this.headers[name];
  }

  write(): boolean {
    return true;
  }

  writeHead(): this {
    return this;
  }

  end(): this {
    this.emit('finish');
    this.socket.destroy();
    return this;
  }
}

/** Status 0: the request goes on, with these headers on its answer. No body: the middleware failed. */
export type EngineAnswer = (status: number, headers: string[], body?: Buffer) => void;

/** Node's response without a socket: `end` hands everything to the core. */
export class CollectedResponse extends ServerResponse {
  private readonly chunks: Buffer[] = [];
  private over = false;

  constructor(
    req: EngineRequest,
    private readonly answer: EngineAnswer,
  ) {
    super(Object.assign(Object.create(req) as IncomingMessage, { httpVersionMajor: 1, httpVersionMinor: 1 }));
  }

  /**
   * Lets the request pass. Packages that wait for the head (cookies of sessions) set their headers now, in `writeHead`.
   */
  letPass(): void {
    if (this.over) return;
    if (!this.headersSent) this.writeHead(200);
    this.over = true;
    this.answer(0, this.flat(), Buffer.alloc(0));
    // Packages that wait for the end (to save sessions) do so now. An upgrade has no such end, as in engine.io.
    if (this.req.headers.upgrade === undefined) this.end();
  }

  private flat(): string[] {
    const flat: string[] = [];
    for (const name of this.getHeaderNames()) {
      const value = this.getHeader(name) ?? '';
      for (const each of Array.isArray(value) ? value : [value]) flat.push(name, String(each));
    }
    return flat;
  }

  override writeHead(
    status: number,
    reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
    headers?: OutgoingHttpHeaders | OutgoingHttpHeader[],
  ): this {
    const given = typeof reason === 'object' ? reason : headers;
    if (Array.isArray(given)) {
      for (let i = 0; i < given.length; i += 2) this.appendHeader(String(given[i]), String(given[i + 1]));
    } else if (given) {
      for (const name of Object.keys(given)) this.setHeader(name, given[name] ?? '');
    }
    return super.writeHead(status);
  }

  override write(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    if (!this.headersSent) this.writeHead(this.statusCode);
    const encoding = typeof rest[0] === 'string' ? (rest[0] as BufferEncoding) : 'utf8';
    this.chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk));
    const done = rest.find((item) => typeof item === 'function') as (() => void) | undefined;
    if (done) tick(done);
    return true;
  }

  override end(...args: unknown[]): this {
    const done = args.find((item) => typeof item === 'function') as (() => void) | undefined;
    if (done) this.once('finish', done);
    if (!this.over) {
      const [chunk, encoding] = args;
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) this.write(chunk, encoding);
      else if (!this.headersSent) this.writeHead(this.statusCode);
      this.over = true;
      this.answer(this.statusCode, this.flat(), Buffer.concat(this.chunks));
    }
    tick(() => {
      this.emit('finish');
      this.emit('close');
    });
    return this;
  }
}
