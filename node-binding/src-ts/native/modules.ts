// Modules in C: shared objects that see what clients send before JavaScript does.
import { resolve } from 'node:path';
import type { NativeServer } from './bindings';
import { coded } from './error';

function refuse(what: string, got: unknown): never {
  const shown = typeof got === 'string' ? JSON.stringify(got) : String(got);
  throw coded('ERR_KRAKEN_WS_ARGUMENT', new TypeError(`loadModule: expected ${what}, got ${shown}`));
}

/** Loads the shared object at `path` and returns the name that the module gave itself. */
export function loadModule(native: NativeServer | undefined, path: unknown, args: unknown): string {
  if (typeof path !== 'string' || path === '') refuse('the path of a shared object', path);
  if (!Array.isArray(args)) refuse('a list of texts as arguments', args);
  for (const arg of args as unknown[]) if (typeof arg !== 'string') refuse('a list of texts as arguments', arg);
  if (!native) {
    const message = 'loadModule: the server is not running; give it a port or an HTTP server first';
    throw coded('ERR_KRAKEN_WS_STATE', new Error(message));
  }
  // A bare file name would be looked for in the folders of system libraries.
  return native.loadModule(resolve(path as string), args as string[]);
}

/** Unloads a module by its name. */
export function unloadModule(native: NativeServer | undefined, name: string): void {
  if (!native) throw coded('ERR_KRAKEN_WS_STATE', new Error('unloadModule: the server is not running'));
  native.unloadModule(String(name));
}
