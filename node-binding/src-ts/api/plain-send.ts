// Messages to one room without a broadcast operator: text only, no flags, no outgoing listeners.
import { RESERVED_EVENTS } from '../native/event-names';
import { hasBinary } from '../native/payload';
import { Namespace } from './namespace';
import { Server } from './server';

/** Sends an event to a room. Returns `false`, and sends nothing, if the message needs `to(room).emit(…)`. */
export function sendPlainly(server: unknown, room: string, event: string, payload: unknown): boolean {
  const namespace = ownNamespace(server);
  const plain =
    namespace?._native !== undefined &&
    namespace._outgoingWatchers === 0 &&
    typeof room === 'string' &&
    typeof payload !== 'function' &&
    !RESERVED_EVENTS.has(event) &&
    !hasBinary(payload);
  if (plain) namespace._native!.publishRoom(namespace._number, room, JSON.stringify([event, payload]), 0);
  return plain;
}

/** The namespace of a server of this package whose `to` is still ours: tests replace methods. */
function ownNamespace(server: unknown): Namespace<any, any, any, any> | undefined {
  if (server instanceof Server && server.to === Server.prototype.to) return server.sockets;
  if (server instanceof Namespace && server.to === Namespace.prototype.to && !server._standsFor) return server;
  return undefined;
}

/** Whether it is a server of this package after `close`: sending does nothing then, without an error. */
export function isClosed(server: unknown): boolean {
  const own = server instanceof Namespace ? server.server : server;
  return own instanceof Server && own._closed;
}
