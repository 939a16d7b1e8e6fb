// The core's options, made from engine.io's, which have its defaults filled in, and from the bridge's own.
import { BRIDGE_OWN, FROM_ENGINE } from '../generated/options';
import type { BridgeOption } from '../generated/options';
import { addon } from '../native/bindings';
import { cookie, optionsJson, refuse } from '../options/json';
import type { ServerOptions } from '../options/server-options';

/** Options of `bindNative`: the core's own, beside those that the socket.io server was made with. */
export type BridgeOptions = Partial<Pick<ServerOptions, BridgeOption>>;

/** The core chooses zlib's parameters itself; it takes on or off, and the threshold. */
function compression(value: unknown): unknown {
  if (!value || typeof value !== 'object') return value;
  const { threshold } = value as { threshold?: number };
  return threshold === undefined ? true : { threshold };
}

/** The core's JSON; throws for what it refuses. */
export function rawOptions(engine: Record<string, unknown>, own: BridgeOptions): string {
  if (own === null || typeof own !== 'object') refuse(`options: expected an object, got ${String(own)}`);
  const core: Record<string, unknown> = {};
  for (const name of FROM_ENGINE) if (engine[name] !== undefined) core[name] = engine[name];
  core.cookie = cookie(engine.cookie);
  core.perMessageDeflate = compression(engine.perMessageDeflate);
  core.httpCompression = compression(engine.httpCompression);
  for (const name of Object.keys(own)) {
    if (!BRIDGE_OWN.has(name)) refuse(`${name}: expected one of ${[...BRIDGE_OWN].join(', ')}; others belong to the socket.io server`);
    core[name] = own[name as keyof BridgeOptions];
  }
  const json = optionsJson(core);
  addon().checkOptions(json);
  return json;
}
