// Errors of handlers: they reach the process without stopping the code that called the handler.
import { tick } from './clock';

/** Runs handlers. An error that they throw is thrown again in the next tick, and the caller goes on. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (err) {
    throwLater(err);
  }
}

/** Throws in the next tick, where there is no caller. */
export function throwLater(err: unknown): void {
  tick(() => {
    throw err;
  });
}
