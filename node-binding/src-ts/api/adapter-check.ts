// The adapters that `io.adapter(…)` and the option `adapter` accept. The core keeps the rooms: an in-memory adapter is
// accepted and changes nothing, one over Redis becomes the option `cluster` (`cluster/adapter-factories.ts`). Any other
// adapter sends broadcasts in JavaScript and is refused by its name.
import { coded } from '../native/error';
import { Adapter } from './adapter';

/** The classes of `socket.io-adapter` that are rooms in memory; the second also recovers connections. */
const IN_MEMORY: ReadonlySet<string> = new Set(['Adapter', 'SessionAwareAdapter']);

function isInMemory(value: unknown): boolean {
  const { name, prototype } = value as { name?: string; prototype?: { persistSession?: unknown } };
  return value === Adapter || (IN_MEMORY.has(name ?? '') && typeof prototype?.persistSession === 'function');
}

/** `createAdapter` of the known packages gives `(nsp) => new RedisAdapter(nsp, …)`. */
function nameOf(value: unknown): string {
  if (typeof value !== 'function') return String(value);
  const made = /\bnew (?:\w+\.)?(\w*Adapter)\b/.exec(Function.prototype.toString.call(value));
  return made?.[1] ?? (value.name || 'an unnamed adapter');
}

/** Throws for an adapter that can't run here. */
export function checkAdapter(value: unknown): void {
  if (value === undefined || value === null || isInMemory(value)) return;
  const message =
    `adapter: ${nameOf(value)} runs in JavaScript, and the rooms of this server are native. Leave it out (each ` +
    'process has rooms of its own), take the one over Redis (the option "cluster"), or keep socket.io with this adapter ' +
    'and put the native engine under it: bindNative(io)';
  throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
}
