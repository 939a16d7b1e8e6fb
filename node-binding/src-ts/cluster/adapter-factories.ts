// Factories of adapters over Redis, read as settings for the core: those of this package, which only hold settings, and
// those of @socket.io/redis-adapter, whose settings are in a closure.
import { EventEmitter } from 'node:events';
import { coded } from '../native/error';
import type { ClusterOptions } from '../options/cluster-options';
import { settingsOf } from './redis-clients';

const SETTINGS = Symbol.for('kraken-ws-native.cluster');

/** What `io.adapter` takes. */
export interface ClusterAdapterFactory {
  (nsp: any): never;
}

/** A factory of this package. It makes no adapter: the server that gets it joins the fleet. */
export function factoryOf(options: ClusterOptions): ClusterAdapterFactory {
  const factory = (): never => {
    const message = 'this adapter is for the server of kraken-ws-native; for socket.io take that of @socket.io/redis-adapter';
    throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
  };
  return Object.assign(factory, { [SETTINGS]: options });
}

/** The class that a factory of @socket.io/redis-adapter makes: `(nsp) => new RedisAdapter(nsp, …)`. */
const REDIS_ADAPTER = /\bnew (?:\w+\.)?(Sharded)?RedisAdapter\b/;

/** An instance of either class, as far as it is read. */
interface RedisAdapter {
  pubClient: unknown;
  channel: string;
  requestsTimeout?: number;
  publishOnSpecificResponseChannel?: boolean;
  parser?: { encode(value: unknown): unknown };
  opts?: { channelPrefix?: string; subscriptionMode?: ClusterOptions['subscriptionMode'] };
}

/** `[{ at: new Date(0) }]` in notepack.io's msgpack, the encoding of a fleet. */
const NOTEPACK = Buffer.from('9181a26174d6ff00000000', 'hex');
/** Name of the namespace that an adapter is made for. */
const NOBODY = '/kraken-ws-native';

function refuse(message: string): never {
  throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
}

/** Settings of the fleet that a factory stands for; `undefined` for one that has nothing to do with Redis. */
export function clusterOf(factory: unknown): ClusterOptions | undefined {
  if (typeof factory !== 'function') return undefined;
  const own = (factory as { [SETTINGS]?: ClusterOptions })[SETTINGS];
  if (own) return own;
  if (!REDIS_ADAPTER.test(Function.prototype.toString.call(factory))) return undefined;
  const made = halfMade(factory as (nsp: unknown) => RedisAdapter);
  if (typeof made?.channel !== 'string' || !made.pubClient) {
    refuse('adapter: this Redis adapter is of another kind than those of @socket.io/redis-adapter 7 and 8');
  }
  const prefix = made.channel.slice(0, -`#${NOBODY}#`.length);
  return { ...settingsOf(made.pubClient), ...formatOf(made), prefix };
}

function formatOf({ opts, parser, requestsTimeout, publishOnSpecificResponseChannel }: RedisAdapter): Partial<ClusterOptions> {
  if (opts) return { mode: 'sharded', subscriptionMode: opts.subscriptionMode };
  if (parser && !speaksNotepack(parser)) {
    refuse('adapter: the option `parser` of the Redis adapter is not supported; leave it out on all nodes');
  }
  return { mode: 'classic', requestsTimeout, publishOnSpecificResponseChannel };
}

/** Whether a parser encodes as the fleet does. Another may write text, or throw for values that it does not know. */
function speaksNotepack(parser: { encode(value: unknown): unknown }): boolean {
  try {
    const written = parser.encode([{ at: new Date(0) }]);
    return written instanceof Uint8Array && Buffer.compare(written, NOTEPACK) === 0;
  } catch {
    return false;
  }
}

/**
 * The adapter with its settings, before it subscribes: a subscription on the application's client would have to be
 * ended again, and the client may be gone by then. Both classes read the namespace's name for their first channel, when
 * all settings are set, and again for the next one; the second read throws, which leaves the constructor. The
 * unfinished adapter is caught in the constructor of EventEmitter, its base class.
 */
function halfMade(factory: (nsp: unknown) => RedisAdapter): RedisAdapter | undefined {
  const emitters = EventEmitter as unknown as { init: (this: unknown, ...args: unknown[]) => void };
  const { init } = emitters;
  const enough = new Error('enough of the adapter is made');
  const made: unknown[] = [];
  let reads = 0;
  const nsp = {
    sockets: new Map(),
    server: { encoder: {}, opts: {} },
    get name() {
      reads += 1;
      if (reads > 1) throw enough;
      return NOBODY;
    },
  };
  emitters.init = function (...args) {
    made.push(this);
    init.apply(this, args);
  };
  try {
    factory(nsp);
  } catch (err) {
    if (err !== enough) throw err;
  } finally {
    emitters.init = init;
  }
  return made[0] as RedisAdapter | undefined;
}
