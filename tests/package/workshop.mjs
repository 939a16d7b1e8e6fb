// Packs the package once per run and installs it as its users do. What is installed lies
// below this folder, so that everything else (Nest, TypeScript, types) is found in its node_modules.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const binding = join(here, '../../node-binding');
const work = join(here, 'target', `run-${process.pid}`);
const require = createRequire(import.meta.url);
export const { version } = JSON.parse(readFileSync(join(binding, 'package.json'), 'utf8'));
export const { triple } = require(join(binding, 'dist/native/platform.js'));

export const run = (command, args, options) => execFileSync(command, args, { encoding: 'utf8', timeout: 120_000, ...options });

/** Packs; gives the tarballs by package name. */
export function pack() {
  rmSync(work, { recursive: true, force: true });
  const out = join(work, 'packed');
  run(process.execPath, [join(binding, 'scripts/pack.mjs'), '--out', out], { stdio: ['ignore', 'ignore', 'inherit'] });
  const tarballs = readdirSync(out).filter((name) => name.endsWith('.tgz'));
  return Object.fromEntries(tarballs.map((name) => [name.slice(0, -`-${version}.tgz`.length), join(out, name)]));
}

/** `npm pack`, or another command, in a copy of the package's folder, `without` some of it; gives the tarballs. */
export function packPlainly({ without, command = ['pack', '--silent'] } = {}) {
  mkdirSync(work, { recursive: true });
  const folder = mkdtempSync(join(work, 'plain-'));
  const left = new Set(['node_modules', 'target', 'src', 'src-ts', 'examples']);
  for (const name of readdirSync(binding)) {
    if (!left.has(name) && !(without && without.test(name))) cpSync(join(binding, name), join(folder, name), { recursive: true });
  }
  run('npm', command, { cwd: folder, stdio: 'pipe' });
  return readdirSync(folder).filter((name) => name.endsWith('.tgz')).map((name) => join(folder, name));
}

/** The folder that a tarball was packed from. */
export const staged = (name) => join(work, 'packed/stage', name);

/** A folder of an application with these dependencies (name or name@file:…) and these files of consumers/. */
export function application(name, dependencies, files = []) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  if (dependencies.length > 0) {
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...dependencies], { cwd: folder });
  }
  for (const file of files) copyFileSync(join(here, 'consumers', file), join(folder, basename(file)));
  return folder;
}

/** A package of this folder's node_modules, there too, with nothing of its own below: it takes what it finds. */
export function lend(folder, name) {
  const from = join(here, 'node_modules', name);
  const below = join(from, 'node_modules');
  cpSync(from, join(folder, 'node_modules', name), { recursive: true, filter: (path) => !path.startsWith(below) });
}

/** Errors of TypeScript in an application, as text; empty if there are none. */
export function typeErrors(folder) {
  try {
    return run(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], { cwd: folder });
  } catch (error) {
    return error.stdout || String(error);
  }
}

/** Runs a program in an application; gives what it printed and how it ended. */
export function program(folder, source, args = []) {
  try {
    return { code: 0, out: run(process.execPath, [...args, '--eval', source], { cwd: folder, stdio: 'pipe' }).trim() };
  } catch (error) {
    return { code: error.status, out: error.stdout, err: error.stderr };
  }
}

export const files = (tarball) => run('tar', ['-tzf', tarball]).trim().split('\n').map((path) => path.slice('package/'.length));

export function cleanUp() {
  rmSync(work, { recursive: true, force: true });
}
