// A folder of an application, in which `kraken-ws-native` and what the tests have are installed, and programs in it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { open } from '../../support/clients.mjs';
import { freePort } from '../../support/server.mjs';
import { until, within } from '../../support/wait.mjs';
import { root } from './markdown.mjs';

const START_MS = 15_000;

// Where packages are found, in this order.
const INSTALLED = ['tests/node_modules', 'tests/docs/node_modules', 'node-binding/node_modules'].map((path) => join(root, path));

/** A folder with these packages, gone when the test ends. */
export function application(t, packages = [], { type = 'commonjs', from = INSTALLED } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'kraken-docs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type }));
  lend(folder, 'kraken-ws-native', join(root, 'node-binding'));
  for (const name of packages) {
    const place = from.map((modules) => join(modules, name)).find((path) => existsSync(path));
    assert.ok(place, `${name} is not installed`);
    lend(folder, name, place);
  }
  return folder;
}

function lend(folder, name, place) {
  const link = join(folder, 'node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(place, link);
}

/** Runs a command until it ends; gives `{ code, out }`, out being all that it printed. */
export function run(command, args, { ms = 60_000, env = {}, ...options } = {}) {
  return new Promise((resolve) => {
    const child = execFile(
      command, args,
      { timeout: ms, killSignal: 'SIGKILL', maxBuffer: 1 << 24, env: { ...process.env, NODE_TEST_CONTEXT: '', ...env }, ...options },
      (error, out, err) => resolve({ code: error ? (error.code ?? 1) : 0, out: out + err }),
    );
    child.stdin.end();
  });
}

/** A command that has to succeed; gives what it printed. */
export async function must(command, args, options) {
  const { code, out } = await run(command, args, options);
  assert.equal(code, 0, `${command} ${args.join(' ')}\n${out}`);
  return out;
}

/**
 * Starts a program that serves. `ports` of the text are replaced by free ones; resolves when the first is listened on.
 * Gives `{ port, ports, url, out(), ended, stop() }`; it is stopped when the test ends.
 */
export async function serve(t, command, args, { cwd, port, env = {}, execPath } = {}) {
  const child = spawn(command ?? execPath ?? process.execPath, args, {
    cwd, env: { ...process.env, NODE_TEST_CONTEXT: '', ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => { out += chunk; });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  let over = false;
  ended.then(() => { over = true; });
  const stop = async (signal = 'SIGKILL') => {
    if (!over) child.kill(signal);
    return within(ended, `end of ${args.join(' ')}`);
  };
  t.after(() => stop());
  await until(async () => {
    assert.ok(!over, `the program ended before it listened\n${out}`);
    return port === undefined || listens(port);
  }, `listening on ${port}`, START_MS);
  return { child, port, url: `http://127.0.0.1:${port}`, out: () => out, ended, stop };
}

const listens = (port) => new Promise((resolve) => {
  const probe = connectTcp(port, '127.0.0.1');
  probe.once('connect', () => { probe.destroy(); resolve(true); });
  probe.once('error', () => resolve(false));
});

/** A JavaScript block as a program that serves on port 3000 of its text, here on a free one. */
export async function serveBlock(t, block, { packages = [], edit = (text) => text, name, ...options } = {}) {
  const port = await freePort();
  const before = edit(block.text);
  assert.match(before, /\b3000\b/, 'the block names port 3000');
  const text = before.replace(/\b3000\b/g, String(port));
  const type = /^import /m.test(text) ? 'module' : 'commonjs';
  const folder = options.cwd ?? application(t, packages, { type });
  const file = join(folder, name ?? (type === 'module' ? 'program.mjs' : 'program.cjs'));
  writeFileSync(file, text);
  return { folder, text, ...(await serve(t, undefined, [file], { cwd: folder, port, ...options })) };
}

/** A connected client that is closed when the test ends. */
export async function client(t, url, options) {
  const socket = open(url, options);
  t.after(() => socket.disconnect());
  await within(new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  }), `connect to ${url}`);
  return socket;
}

/** The message with which a client is refused. */
export async function refusal(t, url, options) {
  const socket = open(url, options);
  t.after(() => socket.disconnect());
  return within(new Promise((resolve, reject) => {
    socket.once('connect', () => reject(new Error('let in')));
    socket.once('connect_error', resolve);
  }), `refusal of ${url}`);
}

export { freePort, until, within };
