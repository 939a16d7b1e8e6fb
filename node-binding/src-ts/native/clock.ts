// Node's own ways to run something later, taken when this package is loaded: what a test puts in their place (the fake
// timers of Jest, Vitest and sinon) stands still until it is told to move, and messages must leave all the same.
import * as timers from 'node:timers';

type Run = () => void;

/** A stand-in is there already: Jest's `enableGlobally` is earlier than any module. */
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
