// Builds what the bench runs, and knows where the results of building are.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchDir = dirname(fileURLToPath(import.meta.url));
export const rootDir = join(benchDir, '../..');

const shared = process.env.CARGO_TARGET_DIR;
export const benchBinary = (name) => join(shared ?? join(benchDir, 'target'), 'release', name);
export const rootBinary = (name) => join(shared ?? join(rootDir, 'target'), 'release', name);

const run = (cwd, program, ...args) => execFileSync(program, args, { cwd, stdio: ['ignore', 2, 2] });

/** The C program that measures the C call, or undefined where the library or a compiler is missing. */
export function buildC() {
  const out = join(benchDir, 'target', 'send_to_room');
  const library = rootBinary('libkraken_ws.a');
  if (!existsSync(library)) return undefined;
  const source = join(benchDir, 'c', 'send_to_room.c');
  try {
    run(benchDir, 'cc', '-O2', '-std=gnu11', `-I${join(rootDir, 'include')}`, source, library, '-lpthread', '-ldl', '-lm', '-o', out);
  } catch {
    return undefined;
  }
  return out;
}

/** The load generator, the peers, and our Rust host; the Node package is built by `make build`. */
export function build() {
  run(benchDir, 'cargo', 'build', '--release', '--locked');
  if (!existsSync(join(benchDir, 'node_modules'))) {
    run(benchDir, 'npm', 'ci', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error');
  }
  if (existsSync(join(rootDir, 'core/examples/bench_host.rs'))) {
    run(rootDir, 'cargo', 'build', '--release', '-p', 'kraken-ws-core', '--example', 'bench_host');
  }
}
