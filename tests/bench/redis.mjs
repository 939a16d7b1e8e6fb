// A redis-server of the bench's own, on a free port of the loopback.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_LIMIT_MS = 10_000;

/** `{ url, pid, stop }`, or undefined if there is no redis-server on this machine. */
export async function startRedis() {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'kraken-bench-redis-'));
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', args.map(String), { stdio: 'ignore' });
  let failed = false;
  child.on('error', () => (failed = true));
  child.on('exit', () => (failed = true));
  const stop = () => {
    child.kill();
    rmSync(dir, { recursive: true, force: true });
  };
  for (const end = Date.now() + START_LIMIT_MS; Date.now() < end && !failed; ) {
    if (await answers(port)) return { url: `redis://127.0.0.1:${port}`, pid: child.pid, stop };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stop();
  return undefined;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
    server.on('error', reject);
  });
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
