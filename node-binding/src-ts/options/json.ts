// Options on their way to the core, which takes JSON.
import { coded } from '../native/error';

/** Throws for an option; `message` begins with its name. */
export function refuse(message: string): never {
  throw coded('ERR_KRAKEN_WS_OPTION', new Error(message));
}

/** The option `cookie` for the core: dates as HTTP writes them, no functions. */
export function cookie(value: unknown): unknown {
  if (!value || typeof value !== 'object') return value;
  const { expires, encode } = value as { expires?: unknown; encode?: unknown };
  if (encode !== undefined) refuse('cookie.encode: session ids need no encoding; leave it out');
  return expires instanceof Date ? { ...value, expires: expires.toUTCString() } : value;
}

/** Options as JSON. Numbers that JSON can't represent are refused: they would become `null`, which is the default. */
export function optionsJson(options: object): string {
  const paths = new WeakMap<object, string>();
  return JSON.stringify(options, function (this: object, name: string, value: unknown) {
    const above = paths.get(this);
    const path = above ? `${above}.${name}` : name;
    if (typeof value === 'number' && !Number.isFinite(value)) refuse(`${path}: expected a finite number, got ${value}`);
    if (value && typeof value === 'object') paths.set(value, path);
    return value;
  });
}
