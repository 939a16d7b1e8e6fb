// What only this package has, as an ES module under its own name.
import { expectTypeOf } from 'expect-type';
import create, { Server, joinSocketsToRoom, removeSocketsFromRoom, sendToAll, sendToRoom, setServer } from 'kraken-ws-native';
import type { ClusterOptions, CoreErrorCode, DisconnectReason, Fetched, ModuleStats, RemoteSocket, ServerOptions, ServerStats } from 'kraken-ws-native';
import { Emitter, createAdapter, createShardedAdapter } from 'kraken-ws-native/redis';

const options: Partial<ServerOptions> = { host: '127.0.0.1', shards: 2, maxOutboxBytes: 65536, parser: 'msgpack', flushIntervalMs: 5 };
const io = new Server('/run/app.sock', options);
expectTypeOf(create(3000)).toEqualTypeOf<Server>();
setServer(io);
setServer({ to: () => ({ emit: () => true }) });
setServer(undefined);
expectTypeOf(sendToRoom('r', 'e', { a: 1 })).toBeBoolean();
expectTypeOf(sendToAll('e')).toBeBoolean();
expectTypeOf(joinSocketsToRoom('r', ['s'])).toBeBoolean();
expectTypeOf(removeSocketsFromRoom('r', 's')).toBeBoolean();
expectTypeOf(io.stats()).toEqualTypeOf<ServerStats>();
io.reloadTls('cert', Buffer.from('key'));
expectTypeOf(io.loadModule('./module.so', ['word'])).toBeString();
expectTypeOf(io.unloadModule('name')).toBeVoid();
expectTypeOf(io.stats().modules).toEqualTypeOf<ModuleStats[]>();
expectTypeOf<'slow consumer'>().toExtend<DisconnectReason>();
expectTypeOf<'ERR_KRAKEN_WS_UNSUPPORTED'>().toExtend<CoreErrorCode>();
// @ts-expect-error an option that is not there
new Server({ pingtimeout: 1 });
const settings: ClusterOptions = { redis: { cluster: ['redis://h:1'] }, mode: 'sharded', tls: { ca: Buffer.from('') }, secret: 's' };
new Server(3000, { cluster: settings, adapter: createAdapter({ redis: 'redis://h' }) }).adapter(createShardedAdapter({}, {}));
expectTypeOf(((await io.fetchSockets()) as Fetched<RemoteSocket<any, any>[]>).missing).toEqualTypeOf<number | undefined>();
expectTypeOf((await io.of('/').adapter.allRooms()).missingNodes).toEqualTypeOf<string[] | undefined>();
const emitter = new Emitter<{ news: (text: string) => void }>({ redis: 'redis://h' });
expectTypeOf(emitter.to(['r']).except('s').emit('news', 'text')).toEqualTypeOf<true>();
await emitter.close();
// @ts-expect-error an event that is not there
emitter.emit('new', 'text');
// @ts-expect-error Redis is somewhere
new Server({ cluster: {} });
