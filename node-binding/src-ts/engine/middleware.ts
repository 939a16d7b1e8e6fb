// `io.engine.use(fn)`: middleware of the express kind. Behind a Node HTTP server it runs over Node's own request and
// response; `http/response.ts` has what stands for the response elsewhere.
import type { IncomingMessage } from 'node:http';
import type { EngineResponse } from '../http/response';

/** A middleware of the express kind. */
export type EngineMiddleware = (req: IncomingMessage, res: EngineResponse, next: (err?: unknown) => void) => void;

/**
 * Runs a chain. `done` is called when all have called `next`, or with the first error that one passed, threw or
 * rejected with; `thrower` is the middleware that threw or rejected.
 */
export function runChain(
  chain: readonly EngineMiddleware[],
  req: IncomingMessage,
  res: EngineResponse,
  done: (err?: unknown, thrower?: EngineMiddleware) => void,
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
    const failed = (err: unknown): void => {
      if (settled) return;
      settled = true;
      done(err ?? new Error('the middleware threw'), chain[at]);
    };
    try {
      // A middleware may be async, although the type says `void`.
      Promise.resolve(chain[at](req, res, next) as unknown).catch(failed);
    } catch (err) {
      // An error after `next` comes from a later step, not from this middleware.
      if (settled) throw err;
      failed(err);
    }
  };
  step(0);
}
