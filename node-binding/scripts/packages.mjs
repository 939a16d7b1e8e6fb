// `make packages`: builds the Linux packages that this machine can build, packs them as a release does, installs each
// and tries it where it belongs. Closes with the sizes and with what could not be done and why; fails only if
// something failed that could be done.
//   node scripts/packages.mjs [TRIPLE...] [--all]
// With --all, what could not be done is a failure too.
// All of it lies below target/packages: tarballs in out/, stripped binaries in binaries/, their symbols in debug/.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readElf } from './elf.mjs';
import { machineFor } from './packages/machines.mjs';
import { install, tryOut } from './packages/trial.mjs';
import { toolchainFor } from './packages/toolchain.mjs';
import { GLIBC, PLATFORMS, binaryName, packageName } from './platforms.mjs';
import { separate } from './strip.mjs';

const binding = dirname(dirname(fileURLToPath(import.meta.url)));
const repository = dirname(binding);
const root = join(process.env.CARGO_TARGET_DIR ?? join(repository, 'target'), 'packages');
const places = { binaries: join(root, 'binaries'), debug: join(root, 'debug'), out: join(root, 'out') };

const LINUX = PLATFORMS.filter(({ os }) => os === 'linux');
const { values, positionals: asked } = parseArgs({ options: { all: { type: 'boolean' } }, allowPositionals: true });
const unknown = asked.find((triple) => !LINUX.some((platform) => platform.triple === triple));
if (unknown) throw new Error(`expected ${LINUX.map(({ triple }) => triple).join(', ')}, got ${unknown}`);
const wanted = LINUX.filter(({ triple }) => asked.length === 0 || asked.includes(triple));

/** Builds the binary of one platform and leaves it stripped in binaries/. */
function build(platform, toolchain) {
  const target = join(root, 'build');
  toolchain.run(['-p', 'kraken-ws-node', '--release', '--target', toolchain.target], {
    cwd: repository, env: { CARGO_TARGET_DIR: target },
  });
  const binary = join(places.binaries, binaryName(platform.triple));
  copyFileSync(join(target, platform.rust, 'release/libkraken_ws_node.so'), binary);
  separate(binary, join(places.debug, `${binaryName(platform.triple)}.debug`));
}

/** What every binary has to be, whether or not it can be run here. */
function inspect(platform) {
  const { stripped, exports, glibc } = readElf(join(places.binaries, binaryName(platform.triple)));
  const newest = Math.max(0, ...glibc);
  if (!stripped) throw new Error('it is not stripped');
  if (exports.join() !== 'napi_register_module_v1') throw new Error(`it exports ${exports.join(', ')}`);
  if (platform.libc === 'glibc' && newest > GLIBC) throw new Error(`it asks for glibc 2.${newest}, not 2.${GLIBC}`);
  if (platform.libc === 'musl' && newest > 0) throw new Error('it asks for glibc');
  return platform.libc === 'glibc' ? `glibc >= 2.${newest}` : 'musl';
}

function pack() {
  rmSync(places.out, { recursive: true, force: true });
  mkdirSync(places.out, { recursive: true });
  execFileSync(process.execPath, [join(binding, 'scripts/pack.mjs'), '--out', places.out, '--binaries', places.binaries], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Map(readdirSync(places.out).filter((name) => name.endsWith('.tgz')).map((name) => [name.replace(/-\d[^-]*\.tgz$/, ''), join(places.out, name)]));
}

const megabytes = (path) => `${(statSync(path).size / 1e6).toFixed(1)} MB`;
const outcomes = new Map();
let failed = false;

function fail(triple, what, error) {
  failed = true;
  outcomes.set(triple, `FAILED ${what}: ${error.message}`);
  console.error(`packages: ${triple}: ${what}: ${error.stack}`);
}

for (const folder of [places.binaries, places.debug]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
const built = [];
for (const platform of wanted) {
  const toolchain = toolchainFor(platform, root);
  if (toolchain.missing) {
    outcomes.set(platform.triple, `not built: ${toolchain.missing}`);
    continue;
  }
  console.log(`packages: ${platform.triple}, ${toolchain.name}`);
  try {
    build(platform, toolchain);
    built.push({ ...platform, toolchain: toolchain.name, needs: inspect(platform) });
  } catch (error) {
    fail(platform.triple, 'when built', error);
  }
}

const tarballs = built.length > 0 ? pack() : new Map();
for (const platform of built) {
  const machine = machineFor(platform, root);
  if (machine.missing) {
    outcomes.set(platform.triple, `built, not run: ${machine.missing}`);
    continue;
  }
  try {
    install(machine.application, platform, { root: tarballs.get('kraken-ws-native'), platform: tarballs.get(packageName(platform.triple)) });
    outcomes.set(platform.triple, `built and run: ${await tryOut(machine)}, ${machine.name}`);
  } catch (error) {
    fail(platform.triple, 'when run', error);
  }
}

console.log('\n== packages');
const rows = [['package', 'packed', 'unpacked', 'symbols', 'needs', 'standard library']];
for (const { triple, needs, toolchain } of built) {
  const binary = join(places.binaries, binaryName(triple));
  rows.push([packageName(triple), megabytes(tarballs.get(packageName(triple))), megabytes(binary), megabytes(join(places.debug, `${binaryName(triple)}.debug`)), needs, toolchain]);
}
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd());
if (tarballs.size > 0) console.log(`kraken-ws-native, JavaScript and Rust sources: ${megabytes(tarballs.get('kraken-ws-native'))} packed`);
console.log();
for (const [triple, outcome] of outcomes) console.log(`${triple}: ${outcome}`);
for (const { triple } of PLATFORMS.filter(({ os }) => os !== 'linux')) console.log(`${triple}: not built: needs macOS, see .github/workflows/release.yml`);
const complete = [...outcomes.values()].every((outcome) => outcome.startsWith('built and run'));
process.exit(failed || (values.all && !complete) ? 1 : 0);
