export * from './dist/index.js';
import type { Server, ServerOptions } from './dist/index.js';

/** Calls `new Server(srv, opts)`. */
declare const create: (srv?: unknown, opts?: Partial<ServerOptions>) => Server;
export default create;
