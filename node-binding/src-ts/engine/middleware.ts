// `io.engine.use(fn)`: middleware of the express kind. Behind a Node HTTP server it runs over Node's own request and
// response; `http/response.ts` has what stands for the response elsewhere.
import type { IncomingMessage } from 'node:http';
import type { EngineResponse } from '../http/response';

/** A middleware of the express kind. */
export type EngineMiddleware = (req: IncomingMessage, res: EngineResponse, next: (err?: unknown) => void) => void;

/**
 * Runs a chain; `done` comes once all called `next`, or with the first error that one passed, threw or rejected with, and
 * then with who threw.
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
      // An async function's promise: the type says `void`, applications do it all the same.
      Promise.resolve(chain[at](req, res, next) as unknown).catch(failed);
    } catch (err) {
      // What is thrown behind `next` comes from further on, and is not the middleware's.
      if (settled) throw err;
      failed(err);
    }
  };
  step(0);
}
