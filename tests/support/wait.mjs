// Waiting for things that happen, always with a limit, so that a test fails with a name instead of hanging.

// A program under valgrind (`UNDER`, tests/c/run.sh) runs some twenty times slower, on one core.
export const LIMIT_MS = process.env.UNDER?.includes('valgrind') ? 40_000 : 8000;

export function deferred() {
  let resolve;
  let reject;
  const promise = new Promise((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

export function within(promise, what, ms = LIMIT_MS) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// The arguments of the next `name` event, as an array.
export function event(emitter, name, ms = LIMIT_MS) {
  return new Promise((resolve, reject) => {
    const off = (emitter.off || emitter.removeListener).bind(emitter);
    const timer = setTimeout(() => {
      off(name, take);
      reject(new Error(`event "${name}": nothing within ${ms} ms`));
    }, ms);
    function take(...args) {
      clearTimeout(timer);
      off(name, take);
      resolve(args);
    }
    emitter.on(name, take);
  });
}

// The arguments of the next `count` events called `name`, as an array of arrays.
export function events(emitter, name, count, ms = LIMIT_MS) {
  const seen = [];
  return new Promise((resolve, reject) => {
    const off = (emitter.off || emitter.removeListener).bind(emitter);
    const timer = setTimeout(() => {
      off(name, take);
      reject(new Error(`event "${name}": ${seen.length} of ${count} within ${ms} ms`));
    }, ms);
    function take(...args) {
      seen.push(args);
      if (seen.length < count) return;
      clearTimeout(timer);
      off(name, take);
      resolve(seen);
    }
    emitter.on(name, take);
  });
}

// For state that no event announces: looks again every 5 ms until `check` is true.
export async function until(check, what, ms = LIMIT_MS) {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`${what}: not so within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// Collects every event a client gets from now on, in order of arrival.
export function record(client) {
  const seen = [];
  client.onAny((name, ...args) => seen.push([name, ...args]));
  return seen;
}
