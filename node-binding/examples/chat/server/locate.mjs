// Finds an npm package for the demo: its own `npm install`, or the repository's test dependencies.

import { createRequire } from 'node:module';

const places = ['../package.json', '../../../../tests/package.json'].map((path) =>
  createRequire(new URL(path, import.meta.url)),
);

/** The path of `request`, e.g. `socket.io-client/package.json`. */
export function locate(request) {
  for (const { resolve } of places) {
    try {
      return resolve(request);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new Error(`${request} is not installed: run "npm install" in node-binding/examples/chat`);
}
