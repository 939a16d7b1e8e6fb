// Who is compared: how each server is started, and whether it can be.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { benchDir, rootDir, benchBinary, rootBinary } from './build.mjs';

const require = createRequire(import.meta.url);
const node = (script, ...args) => [process.execPath, '--expose-gc', join(benchDir, 'servers', script), ...args];

function missingAddon() {
  try {
    require(join(rootDir, 'node-binding'));
  } catch (error) {
    return `node-binding does not load (${error.code ?? error.name}), run "make build"`;
  }
}

/** `ours` is drawn in colour; `missing()` says why a peer cannot run, or nothing. */
export const peers = [
  { id: 'socket.io', label: 'socket.io (ws)', command: () => node('socket.io.mjs') },
  { id: 'socket.io-uws', label: 'socket.io on uWebSockets.js', command: () => node('socket.io-uws.mjs') },
  { id: 'uws', label: 'raw uWebSockets.js', command: () => node('uws.mjs') },
  { id: 'socketioxide', label: 'socketioxide (Rust)', command: () => [benchBinary('peer-socketioxide')] },
  {
    id: 'native',
    label: 'kraken-ws-native (Node)',
    ours: true,
    command: () => node('kraken-ws-native.mjs'),
    missing: missingAddon,
  },
  {
    id: 'native-bridge',
    label: 'socket.io on kraken-ws-native (bindNative)',
    ours: true,
    command: () => node('native-bridge.mjs'),
    missing: missingAddon,
  },
  {
    id: 'native-rust',
    label: 'kraken-ws-core (Rust)',
    ours: true,
    command: () => [rootBinary('examples/bench_host')],
    missing() {
      if (!existsSync(rootBinary('examples/bench_host'))) return 'core/examples/bench_host.rs does not exist';
    },
  },
];

/** How a peer is started for a shape, or nothing if it has no part in it. */
export function commandFor(peer, shape) {
  if (!shape.servers) return peer.command();
  return shape.servers[peer.id] && node(...shape.servers[peer.id]);
}

/** Everything is a ratio to this one. */
export const baseline = 'socket.io';
