// Options of `new Server`, as types. They follow from the core's table (`core/src/options/spec.rs`).
export type { ServerOptions } from '../generated/options';
export type { AdapterConstructor, ConnectionStateRecoveryOptions, CookieOptions } from '../shapes/options';
