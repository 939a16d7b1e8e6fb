// Finds and loads the addon: a build beside this package first, then the package of this platform.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { coded } from './error';
import { libc, triple } from './platform';

const ROOT = join(__dirname, '../..');

// Each name stands in a `require` of its own, inside `try`: that is where bundlers and tracers look for files, and how
// they know that it may be absent. `tests/package` compares these lists with the platforms that are published.

function buildBeside(platform: string): unknown {
  try {
    switch (platform) {
      case 'linux-x64-gnu':
        return require('../../kraken-ws-native.linux-x64-gnu.node');
      case 'linux-x64-musl':
        return require('../../kraken-ws-native.linux-x64-musl.node');
      case 'linux-arm64-gnu':
        return require('../../kraken-ws-native.linux-arm64-gnu.node');
      case 'linux-arm64-musl':
        return require('../../kraken-ws-native.linux-arm64-musl.node');
      case 'darwin-x64':
        return require('../../kraken-ws-native.darwin-x64.node');
      case 'darwin-arm64':
        return require('../../kraken-ws-native.darwin-arm64.node');
      default:
        // An own build, for a platform without a published binary.
        return require(join(ROOT, `kraken-ws-native.${platform}.node`));
    }
  } catch (err) {
    return absent(err, `kraken-ws-native.${platform}.node`);
  }
}

function platformPackage(platform: string): unknown {
  try {
    switch (platform) {
      case 'linux-x64-gnu':
        return require('kraken-ws-native-linux-x64-gnu');
      case 'linux-x64-musl':
        return require('kraken-ws-native-linux-x64-musl');
      case 'linux-arm64-gnu':
        return require('kraken-ws-native-linux-arm64-gnu');
      case 'linux-arm64-musl':
        return require('kraken-ws-native-linux-arm64-musl');
      case 'darwin-x64':
        return require('kraken-ws-native-darwin-x64');
      case 'darwin-arm64':
        return require('kraken-ws-native-darwin-arm64');
      default:
        return undefined;
    }
  } catch (err) {
    return absent(err, `kraken-ws-native-${platform}`);
  }
}

/** Returns nothing if the file or package itself is missing; throws if it does not load. */
function absent(err: unknown, name: string): undefined {
  const { code, message } = err as NodeJS.ErrnoException;
  // Yarn's Plug'n'Play has a longer message under the same code. The error for a file that a bundler left out has no
  // code.
  const missing = code === 'MODULE_NOT_FOUND' || (code === undefined && /cannot find module/i.test(message));
  if (missing && message.includes(name)) return undefined;
  throw failure(`${name} does not load: ${message}`, err);
}

function failure(reason: string, cause?: unknown): Error {
  const { version, optionalDependencies = {} } = require('../../package.json') as {
    version: string;
    optionalDependencies?: Record<string, string>;
  };
  const platform = triple();
  const library = libc();
  const where = `${process.platform} ${process.arch}${library ? `, C library ${library}` : ''}`;
  const published = `kraken-ws-native-${platform}`;
  const script = join(ROOT, 'scripts', 'build.mjs');
  const cures = [
    published in optionalDependencies && `npm install ${published}@${version} installs the prebuilt one.`,
    existsSync(script) && `With Rust 1.88 or newer this builds one: node ${script}`,
  ].filter(Boolean);
  const message = [
    `kraken-ws-native: ${reason} (${where}, Node.js ${process.versions.node}).`,
    ...(cures.length > 0 ? cures : ['This package was packed for another platform: pack it again on this one.']),
  ].join('\n');
  return coded('ERR_KRAKEN_WS_LOAD', new Error(message, { cause }));
}

/** The addon's exports. Throws an error that names the platform and the commands that help. */
export function loadAddon(): unknown {
  const platform = triple();
  const found = buildBeside(platform) ?? platformPackage(platform);
  if (found === undefined) throw failure('there is no binary for this platform');
  return found;
}
