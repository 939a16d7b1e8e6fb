/// <reference types="node" preserve="true" />
// What the package offers. `require` gives a function that makes a server, with everything else as its
// properties, as socket.io's does.
import { Server } from './server';
import type { ServerOptions } from './options';
import type { ServerSource } from './server';

export { Server } from './server';
export type { ParentNspNameMatchFn, ServerSource } from './server';
export type { ServerOptions, CookieOptions, CorsOptions, CorsOrigin } from './options';
export type { ClusterStats, ModuleStats, ServerStats } from './native';
export type { ClusterOptions, RedisPlace, RedisTls } from './cluster/options';
export type { Fetched } from './cluster/fleet';
export type { AdapterConstructor } from './adapter';
export type { Client, Connection, ConnectionTransport } from './client';
export type { Engine } from './engine';
export { Namespace } from './namespace';
export type { EndedSession, ExtendedError, SessionEndReason } from './namespace';
export { ParentNamespace } from './parent-namespace';
export { Socket } from './socket';
export { BroadcastOperator, RemoteSocket } from './broadcast';
export type { DefaultEventsMap, EventsMap } from './typed-events';
export type { CoreErrorCode } from './generated/codes';
export type { DisconnectReason, Event, Handshake, Room, SocketId } from './socket-types';
export { joinSocketsToRoom, removeSocketsFromRoom, sendToAll, sendToRoom, setServer } from './kraken';
export type { ServerLike } from './kraken';
export { bindNative } from './bridge';
export type { BridgeOptions } from './bridge';

const create = (srv?: ServerSource, opts?: Partial<ServerOptions>): Server => new Server(srv, opts);

module.exports = Object.assign(create, exports);
