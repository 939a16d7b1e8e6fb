// Builds the addon with cargo, puts it where src-ts/native.ts looks for it, and compiles the TypeScript.
//   node scripts/build.mjs [--profile release|ci] [--ts-only]
import { spawnSync } from 'node:child_process';
import {
  copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const profile = args.includes('--profile') ? args[args.indexOf('--profile') + 1] : 'release';

function run(command, list, cwd) {
  const { status, error } = spawnSync(command, list, { cwd, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function triple() {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  return `linux-${arch}-${process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}

function library() {
  if (process.platform === 'darwin') return 'libkraken_ws_node.dylib';
  return process.platform === 'win32' ? 'kraken_ws_node.dll' : 'libkraken_ws_node.so';
}

if (!args.includes('--ts-only')) {
  run('cargo', ['build', '-p', 'kraken-ws-node', '--profile', profile], dirname(here));
  const target = process.env.CARGO_TARGET_DIR ?? join(dirname(here), 'target');
  const built = join(target, profile, library());
  const place = join(here, `kraken-ws-native.${triple()}.node`);
  // A copy and a rename: a running process may have the old file mapped.
  copyFileSync(built, `${place}.new`);
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

if (!['typescript', 'socket.io-client'].every((name) => existsSync(join(here, 'node_modules', name)))) {
  run('npm', ['install', '--no-audit', '--no-fund'], here);
}
run(process.execPath, [join(here, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(here, 'tsconfig.json')], here);
copyClient();
