// The options of `new Server` as JSON for the core, without those that only JavaScript reads. The core checks names and
// values; its errors begin with the name.
import { JAVASCRIPT_ONLY } from '../generated/options';
import { addon } from '../native/bindings';
import { plainCluster } from '../options/cluster-options';
import { withoutPatterns } from '../options/cors';
import { cookie, optionsJson, refuse } from '../options/json';
import type { ServerOptions } from '../options/server-options';
import { checkAdapter } from './adapter-check';

/** The option `cors` for the core. Functions stay in JavaScript: the core asks for their rules. */
function cors(value: unknown): unknown {
  if (value === true) return { origin: '*' };
  if (!value || typeof value !== 'object' || !('origin' in value)) return typeof value === 'function' ? undefined : value;
  return typeof value.origin === 'function' ? undefined : { ...value, origin: withoutPatterns(value.origin) };
}

/** `{ type: 0, nsp: '/' }` in msgpack: the output by which its parser is recognized. */
const MSGPACK_CONNECT = Buffer.from('82a47479706500a36e7370a12f', 'hex');

/**
 * The option `parser` for the core, which has two parsers built in. socket.io takes a module: what it encodes tells
 * which of them it is.
 */
function parser(value: unknown): unknown {
  if (value === undefined || typeof value === 'string') return value;
  const { Encoder } = value as { Encoder?: new () => { encode(packet: object): unknown[] } };
  const [first] = typeof Encoder === 'function' ? new Encoder().encode({ type: 0, nsp: '/' }) : [];
  if (first === '0') return 'default';
  if (first instanceof Uint8Array && Buffer.compare(first, MSGPACK_CONNECT) === 0) return 'msgpack';
  return refuse(
    'parser: expected "default", "msgpack", or the module of either; for a parser of your own keep socket.io and ' +
      'put the native engine under it: bindNative(io)',
  );
}

function pem(value: unknown): unknown {
  if (!value || typeof value !== 'object') return value;
  const { cert, key } = value as { cert?: unknown; key?: unknown };
  return { ...value, cert: String(cert ?? ''), key: String(key ?? '') };
}

/** The core's JSON for these options. */
export function coreOptions(options: Partial<ServerOptions>, hooks: Record<string, boolean>): string {
  const core: Record<string, unknown> = {};
  for (const name of Object.keys(options)) {
    if (!JAVASCRIPT_ONLY.has(name)) core[name] = (options as Record<string, unknown>)[name];
  }
  const { adapter } = options as Record<string, unknown>;
  checkAdapter(adapter);
  core.cors = cors(core.cors);
  core.parser = parser(core.parser);
  core.cookie = cookie(core.cookie);
  core.tls = pem(core.tls);
  core.cluster = plainCluster(core.cluster);
  core.hooks = hooks;
  return optionsJson(core);
}

/** Warnings so far. Each is emitted once: many servers of a process are made from the same options. */
const warned = new Set<string>();

/** Throws for options that a server would refuse, and warns of names that no option has. */
export function check(options: Partial<ServerOptions>): void {
  if (options.allowRequest !== undefined && typeof options.allowRequest !== 'function') {
    refuse(`allowRequest: expected a function, got ${JSON.stringify(options.allowRequest)}`);
  }
  for (const what of addon().checkOptions(coreOptions(options, {}))) {
    if (warned.has(what)) continue;
    warned.add(what);
    process.emitWarning(what, { type: 'KrakenWsWarning', code: 'KRAKEN_WS_UNKNOWN_OPTION' });
  }
}
