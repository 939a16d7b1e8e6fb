// The control side of every Node server: the lines of PROTOCOL.md on stdin and stdout.

import { createInterface } from 'node:readline';

const LAG_STEP_MS = 2;

/**
 * @param {{ name: string, version: string, port: number, emit: (message: object) => void, count: () => number,
 *   scatter?: (message: object) => void }} host
 *   `emit` sends the event `m` to the room `room`; `scatter`, of a node in a fleet, to the next of many rooms.
 */
export function serve(host) {
  const lag = new Lag();
  const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  answer({ port: host.port, name: host.name, version: host.version });

  createInterface({ input: process.stdin }).on('line', async (line) => {
    const [command, ...words] = line.split(' ');
    switch (command) {
      case 'count':
        return answer({ connections: host.count() });
      case 'emit':
        return answer(await emitAll(host.emit, ...words.map(Number)));
      case 'scatter':
        return answer(await emitAll(host.scatter, ...words.map(Number)));
      case 'lag':
        if (words[0] === 'start') {
          lag.start();
          return answer({});
        }
        return answer({ maxMs: await lag.stop() });
      case 'gc':
        globalThis.gc();
        return answer({});
      default:
        return answer({ error: `unknown line: ${line}` });
    }
  }).on('close', () => process.exit(0));
}

async function emitAll(emit, count, everyMs, bytes) {
  const pad = 'x'.repeat(bytes);
  const spentUs = new Float64Array(count);
  const first = performance.now();
  let deferredUs = 0;
  for (let i = 0; i < count; i++) {
    if (everyMs > 0) await until(first + i * everyMs);
    const message = { t: monotonicNs(), p: pad };
    const began = performance.now();
    emit(message);
    const ended = performance.now();
    spentUs[i] = (ended - began) * 1000;
    if (everyMs > 0 || i === count - 1) {
      // What a server put off to the end of this piece of JavaScript is its callers' time too.
      await undefined;
      deferredUs += (performance.now() - ended) * 1000;
    }
  }
  spentUs.sort();
  return {
    calls: count,
    meanUs: (spentUs.reduce((sum, us) => sum + us, 0) + deferredUs) / count,
    p50Us: spentUs[count >> 1],
    maxUs: spentUs[count - 1],
  };
}

/** CLOCK_MONOTONIC, which the load generator subtracts from; below 2^53 for the first 104 days of uptime. */
function monotonicNs() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}

/** Resolves at `due`; one that is late goes on at once, but lets the loop turn first. */
function until(due) {
  const wait = due - performance.now();
  return new Promise((resolve) => (wait < 0.5 ? setImmediate(resolve) : setTimeout(resolve, wait)));
}

/** How late a timer on this loop fires at worst. */
class Lag {
  #timer;
  #due = 0;
  #maxMs = 0;

  start() {
    this.#maxMs = 0;
    this.#arm();
  }

  #arm() {
    this.#due = performance.now() + LAG_STEP_MS;
    this.#timer = setTimeout(() => {
      this.#maxMs = Math.max(this.#maxMs, performance.now() - this.#due);
      this.#arm();
    }, LAG_STEP_MS);
  }

  /** A timer that is due while the loop is blocked has to fire before the answer is true. */
  async stop() {
    await new Promise((resolve) => setTimeout(resolve, 2 * LAG_STEP_MS));
    clearTimeout(this.#timer);
    return this.#maxMs;
  }
}
