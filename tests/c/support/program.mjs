// Runs a C program as a host and stops it. PROGRAMS is the folder of the built ones; UNDER is a command to run them
// under, valgrind for instance.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { closeClients } from '../../support/clients.mjs';
import { within } from '../../support/wait.mjs';

export const PROGRAMS = process.env.PROGRAMS ?? assert.fail('PROGRAMS: expected the folder of the built programs');
const under = process.env.UNDER ? process.env.UNDER.split(' ') : [];
// Under valgrind everything takes thirty times as long.
export const LIMIT_MS = under.length > 0 ? 60_000 : 15_000;

// Resolves when the program has printed its port. `stop` is how it is asked to end: a signal, or the end of stdin;
// one that `dies` of the signal does not handle it.
export async function host(t, name, args = [], { stop = 'SIGTERM', dies = false } = {}) {
  const [command, ...rest] = [...under, join(PROGRAMS, name), ...args];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  const out = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (chunk) => {
      out[stream] += chunk;
    });
  }
  const closed = once(child, 'close');
  const end = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      if (stop === 'stdin') child.stdin.end();
      else child.kill(stop);
    }
    try {
      const [code, signal] = await within(closed, `end of ${name}`, LIMIT_MS);
      return { code, signal, ...out };
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`${error.message}\n${out.stderr}`, { cause: error });
    }
  };
  t.after(async () => {
    closeClients();
    const { code, signal, stderr } = await end();
    const expected = dies ? { code: null, signal: stop } : { code: 0, signal: null };
    assert.deepEqual({ code, signal, stderr }, { ...expected, stderr: '' });
  });
  const port = await within(
    new Promise((resolve, reject) => {
      child.stdout.on('data', () => {
        const [, found] = /(?:port |127\.0\.0\.1:)(\d+)\/?\n/.exec(out.stdout) ?? [];
        if (found) resolve(Number(found));
      });
      closed.then(([code]) => reject(new Error(`${name} ended with ${code}\n${out.stderr}`)));
    }),
    `port of ${name}`,
    LIMIT_MS,
  );
  return { url: `http://127.0.0.1:${port}`, end };
}
