// `npm pack` and `npm publish` in this folder: a package with the binary of this machine, or no package.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binaryName } from './platforms.mjs';

const here = dirname(dirname(fileURLToPath(import.meta.url)));

function missing() {
  if (!existsSync(join(here, 'dist/native/platform.js')) || !existsSync(join(here, 'client-dist/version'))) return 'JavaScript';
  const binary = binaryName(createRequire(import.meta.url)(join(here, 'dist/native/platform.js')).triple());
  return existsSync(join(here, binary)) ? undefined : binary;
}

const what = missing();
if (what) {
  console.error(`kraken-ws-native: the package is not built: ${what} is missing. Build it first: npm run build`);
  process.exit(1);
}
// npm says so itself for `npm publish`: one binary is not what others should get by the name of the package.
if (process.env.npm_command === 'publish') {
  console.error('kraken-ws-native: this folder holds the binary of one platform. Publish what `make packages` packs.');
  process.exit(1);
}
