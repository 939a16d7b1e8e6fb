// `io.engine.use(fn)`: middleware of the express kind over Node's own request and response. On an upgrade there
// is no response, so middleware gets an object that takes headers for the 101 answer, and ends the connection
// when it is ended, as engine.io's does.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The part of a response that middleware can rely on for all requests. */
export type EngineResponse = ServerResponse | UpgradeResponse;

/** A middleware of the express kind. */
export type EngineMiddleware = (req: IncomingMessage, res: EngineResponse, next: (err?: unknown) => void) => void;

/** Stands for the response of an upgrade. */
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

/** Runs a chain; `done` comes once all called `next`, or with the first error that one passed, threw or rejected with. */
export function runChain(
  chain: readonly EngineMiddleware[],
  req: IncomingMessage,
  res: EngineResponse,
  done: (err?: unknown) => void,
): void {
  const step = (at: number): void => {
    if (at === chain.length) return done();
    let settled = false;
    const next = (err?: unknown): void => {
      if (settled) return;
      settled = true;
      if (err) done(err);
      else step(at + 1);
    };
    try {
      // An async function's promise: the type says `void`, applications do it all the same.
      Promise.resolve(chain[at](req, res, next) as unknown).catch(next);
    } catch (err) {
      // What is thrown behind `next` comes from further on, and is not the middleware's.
      if (settled) throw err;
      next(err ?? new Error('the middleware threw'));
    }
  };
  step(0);
}
