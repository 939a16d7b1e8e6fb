// Factories of adapters that carry broadcasts over Redis, and what they mean for the core: our own, which only keep
// settings, and those of @socket.io/redis-adapter, whose settings are in a closure.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { coded } from '../error';
import type { ClusterOptions } from './options';
import { settingsOf } from './redis-clients';

const SETTINGS = Symbol.for('kraken-ws-native.cluster');

/** How often it is asked whether the stand-in's subscriptions are there, and how long in between. */
const LOOKS = 100;
const LOOK_MS = 20;

/** What `io.adapter` takes. */
export interface ClusterAdapterFactory {
  (nsp: any): never;
}

/** A factory of our own. It makes nothing: the server that gets it joins the fleet. */
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
  subClient: { isOpen?: boolean; status?: string };
  channel: string;
  requestsTimeout?: number;
  publishOnSpecificResponseChannel?: boolean;
  parser?: { encode(value: unknown): Uint8Array };
  opts?: { channelPrefix?: string; subscriptionMode?: ClusterOptions['subscriptionMode'] };
  serverCount(): Promise<number>;
  close(): unknown;
}

/** `[{ at: new Date(0) }]` in notepack.io's msgpack, which is the fleet's language. */
const NOTEPACK = Buffer.from('9181a26174d6ff00000000', 'hex');

function refuse(message: string): never {
  throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
}

/** Settings of the fleet that a factory stands for; `undefined` for one that has nothing to do with Redis. */
export function clusterOf(factory: unknown): ClusterOptions | undefined {
  if (typeof factory !== 'function') return undefined;
  const own = (factory as { [SETTINGS]?: ClusterOptions })[SETTINGS];
  if (own) return own;
  if (!REDIS_ADAPTER.test(Function.prototype.toString.call(factory))) return undefined;
  // Nobody uses this name. The instance subscribes to it, until it is closed.
  const name = `/kraken-ws-native-${randomBytes(8).toString('hex')}`;
  let made: RedisAdapter;
  try {
    made = (factory as (nsp: unknown) => RedisAdapter)(standIn(name));
  } catch (err) {
    return refuse(`adapter: its Redis clients can not be used: ${String((err as Error)?.message ?? err)}`);
  }
  if (typeof made?.channel !== 'string' || !made.pubClient) {
    refuse('adapter: this Redis adapter is of another kind than those of @socket.io/redis-adapter 7 and 8');
  }
  void takeDown(made);
  const prefix = made.channel.slice(0, -`#${name}#`.length);
  return { ...settingsOf(made.pubClient), ...formatOf(made), prefix };
}

function formatOf({ opts, parser, requestsTimeout, publishOnSpecificResponseChannel }: RedisAdapter): Partial<ClusterOptions> {
  if (opts) return { mode: 'sharded', subscriptionMode: opts.subscriptionMode };
  const bytes = parser?.encode([{ at: new Date(0) }]);
  if (bytes && Buffer.compare(bytes, NOTEPACK) !== 0) {
    refuse('adapter: the option `parser` of the Redis adapter is not supported; leave it out on all nodes');
  }
  return { mode: 'classic', requestsTimeout, publishOnSpecificResponseChannel };
}

/** As much of a namespace as the adapters' constructors look at. */
function standIn(name: string): object {
  return Object.assign(new EventEmitter(), { name, sockets: new Map(), server: { encoder: { encode: () => [] }, opts: {} } });
}

/** Ends the subscriptions of an instance, once they are there: before that some clients keep half of them. */
async function takeDown(made: RedisAdapter): Promise<void> {
  const { subClient } = made;
  try {
    for (let n = 0; n < LOOKS && (await made.serverCount()) === 0; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
    }
    if (subClient.isOpen === false || subClient.status === 'end') return;
    await made.close();
  } catch {
    // The application's connection is gone, and the subscriptions with it.
  }
}
