// Packs what a release publishes: the root package, and one package per platform that has a binary.
//   node scripts/pack.mjs --out DIR [--binaries DIR]
// Binaries that are not stripped yet are stripped in the packages; DIR/debug has their symbols.
// --binaries holds kraken-ws-native.<triple>.node files, this folder by default. The root package depends on
// exactly the platform packages of the same run, in exactly their version.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PLATFORMS, binaryName, packageName, platformPackage } from './platforms.mjs';
import { separate } from './strip.mjs';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const repository = dirname(here);
const { values } = parseArgs({ options: { out: { type: 'string' }, binaries: { type: 'string', default: here } } });
if (!values.out) throw new Error('--out: expected the folder that the packages go to');
const out = resolve(values.out);
const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const built = PLATFORMS.filter(({ triple }) => existsSync(join(values.binaries, binaryName(triple))));

function stage(name) {
  const folder = join(out, 'stage', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(repository, 'LICENSE'), join(folder, 'LICENSE'));
  return folder;
}

function pack(folder, contents) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(contents, null, 2)}\n`);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', out], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** The crates that the addon is built from, as a workspace of their own. */
function copyCrates(folder) {
  mkdirSync(folder);
  const workspace = readFileSync(join(repository, 'Cargo.toml'), 'utf8')
    .replace(/^members = .*$/m, 'members = ["core", "core/codec", "core/redis", "ffi", "node-binding"]')
    .replace(/^exclude = .*\n/m, '');
  writeFileSync(join(folder, 'Cargo.toml'), workspace);
  cpSync(join(repository, 'Cargo.lock'), join(folder, 'Cargo.lock'));
  const below = ['codec', 'redis'].flatMap((name) => [`core/${name}/Cargo.toml`, `core/${name}/src`]);
  for (const path of ['core/Cargo.toml', 'core/README.md', 'core/src', ...below, 'ffi/Cargo.toml', 'ffi/src', 'node-binding/Cargo.toml', 'node-binding/build.rs', 'node-binding/src']) {
    cpSync(join(repository, path), join(folder, path), { recursive: true });
  }
}

function packPlatform(platform) {
  const folder = stage(packageName(platform.triple));
  const binary = join(folder, binaryName(platform.triple));
  cpSync(join(values.binaries, binaryName(platform.triple)), binary);
  // Symbols are for debuggers; they are four fifths of the file.
  separate(binary, join(out, 'debug', `${binaryName(platform.triple)}.debug`));
  writeFileSync(join(folder, 'README.md'), `The ${platform.triple} binary of \`kraken-ws-native\`. Install that package.\n`);
  pack(folder, platformPackage(platform, manifest));
}

function packRoot() {
  const folder = stage(manifest.name);
  // Binaries have packages of their own here; `npm pack` in this folder puts that of this machine into the one it makes.
  const files = manifest.files.filter((path) => !path.endsWith('.node'));
  for (const path of ['README.md', ...files, 'scripts/build.mjs']) {
    cpSync(join(here, path), join(folder, path), { recursive: true });
  }
  copyCrates(join(folder, 'native'));
  const { scripts: _scripts, devDependencies: _tools, ...contents } = manifest;
  const pinned = built.map(({ triple }) => [packageName(triple), manifest.version]);
  pack(folder, {
    ...contents,
    files: [...files, 'native', 'scripts/build.mjs'],
    optionalDependencies: { ...contents.optionalDependencies, ...Object.fromEntries(pinned) },
  });
}

if (!existsSync(join(here, 'dist'))) throw new Error('dist/ is missing: run node scripts/build.mjs first');
built.forEach(packPlatform);
packRoot();
