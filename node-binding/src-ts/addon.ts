// Finds and loads the addon: a build beside this package first, then the package of this platform.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { coded } from './error';
import { libc, triple } from './platform';

const ROOT = join(__dirname, '..');

function where(): string {
  const library = libc();
  return `${process.platform} ${process.arch}${library ? `, C library ${library}` : ''}`;
}

function failure(reason: string, name: string, cause?: unknown): Error {
  const { version } = require('../package.json') as { version: string };
  const message = [
    `kraken-ws-native: ${reason} (${where()}, Node.js ${process.versions.node}).`,
    `Prebuilt binaries are optional dependencies: npm install kraken-ws-native-${name}@${version}.`,
    `With Rust 1.88 or newer this builds one: node ${join(ROOT, 'scripts', 'build.mjs')}`,
  ].join('\n');
  return coded('ERR_KRAKEN_WS_LOAD', new Error(message, { cause }));
}

/** The addon's exports. Throws an error that names the platform and the commands that help. */
export function loadAddon(): unknown {
  const name = triple();
  const local = join(ROOT, `kraken-ws-native.${name}.node`);
  const installed = `kraken-ws-native-${name}`;
  const place = existsSync(local) ? local : installed;
  try {
    return require(place);
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException;
    const absent = place === installed && code === 'MODULE_NOT_FOUND';
    throw failure(absent ? 'there is no binary for this platform' : `${place} does not load: ${message}`, name, err);
  }
}
