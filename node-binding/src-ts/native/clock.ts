// Node's own timers and queues, saved when this package is loaded. Fake timers of tests (Jest, Vitest, sinon) stand
// still until they are advanced, and messages must leave all the same.
import * as timers from 'node:timers';

type Run = () => void;

/** Whether a function is a fake already: Jest's `enableGlobally` runs before any module is loaded. */
function isFake(fn: unknown): boolean {
  return 'clock' in (fn as object);
}

const settled = Promise.resolve();

/** Node's. */
export const { setImmediate: immediate, setTimeout: later, clearTimeout: notLater } = timers;

/** `queueMicrotask`. */
export const microtask: (run: Run) => void = isFake(queueMicrotask) ? (run) => void settled.then(run) : queueMicrotask;

/** `process.nextTick`. */
export const tick: (run: Run) => void = isFake(process.nextTick) ? immediate : process.nextTick;
