// Runs a program in a process of its own until it exits by itself. The program finds what to require in
// SUBJECT_PATH and the package's folder in SUBJECT_ROOT.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { subjectPath, subjectRoot } from './subject.mjs';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

// `type` is "commonjs" or "module". Rejects when the program is still running after `ms`; it is killed then.
export function run(program, { type = 'commonjs', args = [], ms = 15_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`--input-type=${type}`, ...args, '--eval', program], {
      cwd: TESTS,
      env: { ...process.env, SUBJECT_PATH: subjectPath, SUBJECT_ROOT: subjectRoot, NODE_TEST_CONTEXT: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out = [];
    const err = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    const text = (chunks) => Buffer.concat(chunks).toString();
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`still running after ${ms} ms\n${text(out)}${text(err)}`));
    }, ms);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: text(out), stderr: text(err) });
    });
  });
}
