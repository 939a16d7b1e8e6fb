// Compiles the TypeScript, builds the addon with cargo and puts it where src-ts/native/addon.ts looks for it. In the
// published package, which has JavaScript and the Rust sources in native/, only the latter. A release build is
// stripped; its symbols go to target/packages/debug, for debuggers.
//   node scripts/build.mjs [--profile release|ci] [--ts-only]
import { spawnSync } from 'node:child_process';
import {
  copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const here = dirname(dirname(fileURLToPath(import.meta.url)));
const published = join(here, 'native');
const workspace = existsSync(published) ? published : dirname(here);
const args = process.argv.slice(2);
const profile = args.includes('--profile') ? args[args.indexOf('--profile') + 1] : 'release';

function run(command, list, cwd) {
  const { status, error } = spawnSync(command, list, { cwd, stdio: 'inherit' });
  if (error?.code === 'ENOENT' && command === 'cargo') {
    console.error('kraken-ws-native: cargo is missing; install Rust 1.88 or newer from https://rustup.rs');
    process.exit(1);
  }
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function compile() {
  if (!existsSync(join(here, 'src-ts'))) return;
  if (!['typescript', 'socket.io-client'].every((name) => existsSync(join(here, 'node_modules', name)))) {
    run('npm', ['install', '--no-audit', '--no-fund'], here);
  }
  // A file of a source that has moved would stay, and be packed.
  rmSync(join(here, 'dist'), { recursive: true, force: true });
  run(process.execPath, [join(here, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(here, 'tsconfig.json')], here);
  copyClient();
}

function library() {
  if (process.platform === 'darwin') return 'libkraken_ws_node.dylib';
  return process.platform === 'win32' ? 'kraken_ws_node.dll' : 'libkraken_ws_node.so';
}

async function build() {
  // Who builds from the published package debugs nothing: there the linker strips.
  const strip = workspace === published ? ['--config', `profile.${profile}.strip=true`] : [];
  run('cargo', ['build', '-p', 'kraken-ws-node', '--profile', profile, ...strip], workspace);
  const { triple } = require('../dist/native/platform.js');
  const target = process.env.CARGO_TARGET_DIR ?? join(workspace, 'target');
  const place = join(here, `kraken-ws-native.${triple()}.node`);
  // A copy and a rename: a running process may have the old file mapped.
  copyFileSync(join(target, profile, library()), `${place}.new`);
  if (profile === 'release' && workspace !== published) {
    const { separate } = await import('./strip.mjs');
    separate(`${place}.new`, join(target, 'packages/debug', `${basename(place)}.debug`));
  }
  renameSync(`${place}.new`, place);
}

// The client's bundles that a server offers under its path, as socket.io's package has them.
function copyClient() {
  const client = join(here, 'node_modules', 'socket.io-client');
  const place = join(here, 'client-dist');
  mkdirSync(place, { recursive: true });
  for (const name of readdirSync(join(client, 'dist'))) copyFileSync(join(client, 'dist', name), join(place, name));
  writeFileSync(join(place, 'version'), JSON.parse(readFileSync(join(client, 'package.json'), 'utf8')).version);
}

compile();
if (!args.includes('--ts-only')) await build();
