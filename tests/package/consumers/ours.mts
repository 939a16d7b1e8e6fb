// What only this package has, as an ES module under its own name.
import { expectTypeOf } from 'expect-type';
import create, { Server, joinSocketsToRoom, removeSocketsFromRoom, sendToAll, sendToRoom, setServer } from 'kraken-ws-native';
import type { CoreErrorCode, DisconnectReason, ModuleStats, ServerOptions, ServerStats } from 'kraken-ws-native';

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
