// The live figures in the corner of the page, measured on this process and pushed once a second.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const EVERY_MS = 1000;
// The monitor is a timer of this period, and its readings include the period itself.
const LOOP_RESOLUTION_MS = 10;

/** `readStats` gives the server's counters, `push` gets the figures. Returns a function that stops the pushing. */
export function startFigures(subject, readStats, push) {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  let before = readStats();
  let beforeAt = performance.now();

  const timer = setInterval(() => {
    const now = readStats();
    const nowAt = performance.now();
    const seconds = (nowAt - beforeAt) / 1000;
    push({
      subject,
      connections: now.connections,
      rooms: now.rooms,
      messagesIn: (now.messagesIn - before.messagesIn) / seconds,
      messagesOut: (now.messagesOut - before.messagesOut) / seconds,
      loopLagMs: Math.max(0, loop.percentile(99) / 1e6 - LOOP_RESOLUTION_MS),
      loopLagMaxMs: Math.max(0, loop.max / 1e6 - LOOP_RESOLUTION_MS),
      uptimeMs: process.uptime() * 1000,
    });
    loop.reset();
    before = now;
    beforeAt = nowAt;
  }, EVERY_MS);

  return () => {
    clearInterval(timer);
    loop.disable();
  };
}
