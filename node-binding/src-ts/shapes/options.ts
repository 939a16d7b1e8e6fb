// Types of options that are structures. Rows of the core's tables name them (`core/src/options`), and `generated/options.ts`
// has them from here.

/** What socket.io takes as an adapter: a class, or a function that makes one for a namespace. */
export type AdapterConstructor = (new (nsp: any) => any) | ((nsp: any) => any);

/** The cookie that carries the session id. */
export interface CookieOptions {
  name?: string;
  path?: string;
  domain?: string;
  httpOnly?: boolean;
  secure?: boolean;
  sameSite?: boolean | 'strict' | 'lax' | 'none';
  /** In seconds. */
  maxAge?: number;
  expires?: Date;
  partitioned?: boolean;
  priority?: 'low' | 'medium' | 'high';
}

/** The option `connectionStateRecovery`, complete. */
export interface ConnectionStateRecoveryOptions {
  /** How long a client may stay away, in milliseconds. Default 120000. */
  maxDisconnectionDuration: number;
  /** Recovered sockets do not pass the namespace's middlewares again. Default `true`. */
  skipMiddlewares: boolean;
}

/** What an origin may be where it is fixed. */
export type StaticOrigin = boolean | string | RegExp | (boolean | string | RegExp)[];

/** Decides about one origin. */
export type CustomOrigin = (
  requestOrigin: string | undefined,
  callback: (err: Error | null, origin?: StaticOrigin) => void,
) => void;

/** One origin, several, a pattern, `true` for whatever asks, or a function that decides. */
export type CorsOrigin = StaticOrigin | CustomOrigin;

/** Cross-origin rules, as the `cors` package names them. */
export interface CorsOptions {
  origin?: CorsOrigin;
  methods?: string | string[];
  allowedHeaders?: string | string[];
  exposedHeaders?: string | string[];
  credentials?: boolean;
  maxAge?: number;
  preflightContinue?: boolean;
  optionsSuccessStatus?: number;
}

/** Gives the rules for one request. */
export type CorsOptionsDelegate = (req: any, callback: (err: Error | null, options?: CorsOptions) => void) => void;

/** Where Redis is: one server, the master that sentinels name, or some nodes of a Redis Cluster. */
export type RedisPlace =
  | string
  | { sentinel: { sentinels: string[]; master: string } }
  | { cluster: string[] };

/** TLS beyond what `rediss://` says; PEM. */
export interface RedisTls {
  /** Certificates to trust instead of the system's. */
  ca?: string | Buffer;
  /** Client certificate. */
  cert?: string | Buffer;
  /** Key of the client certificate. */
  key?: string | Buffer;
}
