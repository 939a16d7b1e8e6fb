// Installs the tarballs into an application and puts real clients on a server in it.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { packageName } from '../platforms.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { io } = createRequire(join(here, '../../package.json'))('socket.io-client');
// Node takes its time to start in an emulator.
const MS = 60_000;
const BYTES = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 251));

/** Installs with this machine's npm, which is told for what: it heeds that for optional dependencies, which ours are. */
export function install(folder, { triple, os, cpu, libc }, { root, platform }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const manifest = {
    private: true,
    type: 'module',
    dependencies: { 'kraken-ws-native': `file:${root}` },
    optionalDependencies: { [packageName(triple)]: `file:${platform}` },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', `--os=${os}`, `--cpu=${cpu}`, `--libc=${libc}`], {
    cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], timeout: MS,
  });
  assert.ok(existsSync(join(folder, 'node_modules', packageName(triple))), 'npm left the binary out');
  copyFileSync(join(here, 'server.mjs'), join(folder, 'server.mjs'));
}

async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: nothing for ${MS} ms`)), MS); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function talk(url, options, upgraded) {
  const client = io(url, { forceNew: true, reconnection: false, ...options });
  try {
    await within(new Promise((resolve, reject) => client.once('connect', resolve).once('connect_error', reject)), 'connect');
    if (upgraded && client.io.engine.transport.name !== 'websocket') {
      await within(new Promise((resolve) => { client.io.engine.once('upgrade', resolve); }), 'upgrade');
    }
    const { bytes, transport } = await client.timeout(MS).emitWithAck('echo', BYTES);
    assert.ok(BYTES.equals(bytes), 'other bytes came back');
    const said = within(new Promise((resolve) => { client.once('said', (...args) => resolve(args)); }), 'a message to the room');
    client.emit('say', 'kraken 🦑');
    const [word, encoded] = await said;
    assert.equal(word, 'kraken 🦑');
    assert.equal(Buffer.from(encoded).toString(), word);
    return transport;
  } finally {
    client.disconnect();
  }
}

/** Polling, polling and upgrade, WebSocket; gives which Node answered. */
export async function tryOut(machine) {
  const [command, ...args] = machine.command([`${machine.path}/server.mjs`]);
  const server = spawn(command, args, { cwd: machine.application, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  try {
    const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
    const first = await within(Promise.race([lines.next(), ended.then(([code]) => { throw new Error(`the server ended with ${code}`); })]), 'the server');
    assert.ok(first.value, 'the server printed nothing');
    const { port, about } = JSON.parse(first.value);
    const url = `http://127.0.0.1:${port}`;
    assert.equal(await talk(url, { transports: ['polling'] }), 'polling');
    assert.equal(await talk(url, {}, true), 'websocket');
    assert.equal(await talk(url, { transports: ['websocket'] }), 'websocket');
    server.stdin.end();
    assert.deepEqual(await within(ended, 'its end'), [0, null], 'the server did not end by itself');
    return about;
  } finally {
    server.kill('SIGKILL');
  }
}
