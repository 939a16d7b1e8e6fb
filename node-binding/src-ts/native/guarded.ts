// Errors of handlers: they reach the process, and what comes behind the handler goes on.
import { tick } from './clock';

/** Runs handlers that must not stop what comes behind them: what they throw reaches the process a little later. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (err) {
    throwLater(err);
  }
}

/** Throws where no caller is. */
export function throwLater(err: unknown): void {
  tick(() => {
    throw err;
  });
}
