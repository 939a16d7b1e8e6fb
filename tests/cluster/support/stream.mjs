// Numbered messages without end, and what came of them.
import { until } from '../../support/wait.mjs';

const EVERY_MS = 2;

// `io` sends its name and a rising number to `room` every few milliseconds. `pace` sends more at a time.
export function stream(io, name, room, { pace = 1 } = {}) {
  let sent = 0;
  const timer = setInterval(() => {
    for (let n = 0; n < pace; n += 1) io.to(room).emit('stream', name, (sent += 1));
  }, EVERY_MS);
  return {
    name,
    get sent() {
      return sent;
    },
    stop: () => {
      clearInterval(timer);
      return sent;
    },
  };
}

// What a client gets of all streams: by sender, in order.
export function follow(client) {
  const seen = new Map();
  client.on('stream', (name, n) => {
    if (!seen.has(name)) seen.set(name, []);
    seen.get(name).push(n);
  });
  const of = (name) => seen.get(name) ?? [];
  const last = (name) => of(name).at(-1) ?? 0;
  return {
    of,
    last,
    reached: (name, n, ms) => until(() => last(name) >= n, `message ${n} of ${name}, after ${last(name)}`, ms),
  };
}

// Numbers that are not above the one before: what came twice, or too late.
export function disorder(numbers) {
  return numbers.filter((n, at) => at > 0 && n <= numbers[at - 1]);
}

// Numbers from `first` to `last` that did not come.
export function missing(numbers, first, last) {
  const there = new Set(numbers);
  const out = [];
  for (let n = first; n <= last; n += 1) if (!there.has(n)) out.push(n);
  return out;
}
