/// <reference types="node" preserve="true" />
// The exports of the package. `require` returns a function that makes a server; all other exports are its properties,
// as in socket.io.
import { Server } from './api/server';
import type { ServerOptions } from './options/server-options';
import type { ServerSource } from './api/server';

export { Server } from './api/server';
export type { ParentNspNameMatchFn } from './api/dynamic-namespaces';
export type { ServerSource } from './api/server';
export type { AdapterConstructor, CookieOptions, ServerOptions } from './options/server-options';
export type { CorsOptions, CorsOrigin } from './options/cors';
export type { ClusterStats, ModuleStats, ServerStats } from './native/stats';
export type { ClusterOptions, RedisPlace, RedisTls } from './options/cluster-options';
export type { Fetched } from './cluster/fleet';
export type { Client } from './api/client';
export type { Connection } from './api/connection';
export type { ConnectionTransport } from './engine/transport';
export type { Engine } from './engine/engine';
export { Namespace } from './api/namespace';
export type { EndedSession, ExtendedError, SessionEndReason } from './api/namespace';
export { ParentNamespace } from './api/parent-namespace';
export { Socket } from './api/socket';
export { BroadcastOperator, RemoteSocket } from './api/broadcast-operator';
export type { DefaultEventsMap, EventsMap } from './api/typed-events';
export type { CoreErrorCode } from './generated/codes';
export type { DisconnectReason, Event, Handshake, Room, SocketId } from './api/socket-types';
export { joinSocketsToRoom, removeSocketsFromRoom, sendToAll, sendToRoom, setServer } from './kraken/broadcaster';
export type { ServerLike } from './kraken/broadcaster';
export { bindNative } from './bridge';
export type { BridgeOptions } from './bridge';

const create = (srv?: ServerSource, opts?: Partial<ServerOptions>): Server => new Server(srv, opts);

module.exports = Object.assign(create, exports);
