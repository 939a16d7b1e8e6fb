// Every test of this suite runs in each of these: a NestJS major, and a door through which its gateways are
// served. `socket.io` is Nest's own IoAdapter, the oracle. NEST=12 and DOOR=server narrow the choice.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe } from 'node:test';
import { pathToFileURL } from 'node:url';

export const majors = (process.env.NEST ?? '11,12').split(',');
const doors = (process.env.DOOR ?? 'socket.io,bridge,server').split(',');

export const folder = (major) => new URL(`../majors/${major}/`, import.meta.url);

/** What the packages of a major export. */
export const requireIn = (major) => createRequire(new URL('package.json', folder(major)));

/** Imports a compiled application, `apps/features.js` for example. */
export async function load(major, file) {
  const url = new URL(`dist/${file}`, folder(major));
  if (!existsSync(url)) throw new Error('the applications are not compiled: run node tests/nest/build.mjs');
  return import(pathToFileURL(url.pathname));
}

/** `body({ major, door, load })` for each major and door. */
export function everywhere(title, body) {
  for (const major of majors) {
    for (const door of doors) {
      const missing = door === 'bridge' && !('bindNative' in requireIn(major)('kraken-ws-native'));
      const skip = missing ? 'this build has no bindNative' : false;
      describe(`${title} · Nest ${major} · ${door}`, { skip }, () => body({ major, door, load: (file) => load(major, file) }));
    }
  }
}
