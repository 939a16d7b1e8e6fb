// What cargo built for the tests: the C library, and the crates that Rust blocks are compiled with. Under `make test`
// everything is built already, and cargo only says where it is.
import { join } from 'node:path';
import { must } from './application.mjs';
import { root } from './markdown.mjs';

const PROFILE = 'ci';
export const built = join(process.env.CARGO_TARGET_DIR ? join(root, process.env.CARGO_TARGET_DIR) : join(root, 'target'), PROFILE);

let artifacts;

/** `{ kraken_ws_core: '…/libkraken_ws_core-….rlib', … }` */
export function crates() {
  artifacts ??= list();
  return artifacts;
}

async function list() {
  const args = ['build', ...(process.env.CI ? ['--locked'] : []), '--quiet', '--workspace', '--all-targets', '--profile', PROFILE, '--message-format=json'];
  const out = await must('cargo', args, { cwd: root, ms: 600_000, maxBuffer: 1 << 28 });
  const found = {};
  for (const line of out.split('\n')) {
    if (!line.startsWith('{')) continue;
    const { reason, target, filenames, profile } = JSON.parse(line);
    if (reason !== 'compiler-artifact' || profile.test || !/lib/.test(target.kind.join())) continue;
    const rlib = filenames.find((name) => name.endsWith('.rlib'));
    if (rlib) found[target.name] = rlib;
  }
  return found;
}
