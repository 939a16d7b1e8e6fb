// What clients get because of something, and nothing that comes later: a mark is sent behind it.
import { deferred, within } from '../../support/wait.mjs';

let serial = 0;

// Events of each client between now and the mark that `io` sends after `act`, as arrays of name and arguments.
export async function gather(io, clients, act) {
  serial += 1;
  const mark = `mark ${serial}`;
  const logs = clients.map((client) => {
    const seen = [];
    const done = deferred();
    const listen = (name, ...args) => {
      if (name === mark) done.resolve();
      else seen.push([name, ...args]);
    };
    client.onAny(listen);
    return { seen, arrived: done.promise, end: () => client.offAny(listen) };
  });
  try {
    await act();
    io.emit(mark);
    await within(Promise.all(logs.map(({ arrived }) => arrived)), 'the mark behind it');
  } finally {
    for (const { end } of logs) end();
  }
  return logs.map(({ seen }) => seen);
}
