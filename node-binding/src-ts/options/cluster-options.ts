// The option `cluster`, and its conversion for JSON. The core checks names and values.

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

/** How to reach Redis. */
export interface RedisOptions {
  /** `redis://…`, `rediss://…`, `redis+unix://…`, `{ sentinel: { sentinels, master } }` or `{ cluster: [urls] }`. */
  redis: RedisPlace;
  /** User of the ACL, over that of the URL. */
  username?: string;
  /** Password, over that of the URL. */
  password?: string;
  /** TLS details. */
  tls?: RedisTls;
  /** RESP version. Default what is needed. */
  protocol?: 2 | 3;
  /** How long an attempt to connect, and an answer of Redis, may take, in milliseconds. Default 5000. */
  redisTimeout?: number;
  /** Bytes of messages that may wait for Redis. Default 16 MiB. */
  queueBytes?: number;
  /** What goes beyond that. Default `drop-oldest`. */
  overflow?: 'drop-oldest' | 'drop-newest';
}

/** The wire format, which has to be that of the other nodes. */
export interface ClusterFormat {
  /** `createAdapter`'s, or `createShardedAdapter`'s (Redis 7 and later). Default `classic`. */
  mode?: 'classic' | 'sharded';
  /** First part of all channel names. Default `socket.io`. */
  prefix?: string;
  /** Sharded mode: which rooms have a channel of their own. Default `dynamic`. */
  subscriptionMode?: 'static' | 'dynamic' | 'dynamic-private';
  /** Shared by native nodes: their messages carry an HMAC, and others are ignored. Default none. */
  secret?: string;
}

/** How a server is part of a fleet: the option `cluster`. */
export interface ClusterOptions extends RedisOptions, ClusterFormat {
  /** How long answers of other nodes are waited for, in milliseconds. Default 5000. */
  requestsTimeout?: number;
  /** Classic mode: answer only to the node that asked. Default `false`. */
  publishOnSpecificResponseChannel?: boolean;
  /** The server is made only when Redis answers, else that throws, with `ERR_KRAKEN_WS_REDIS`. Default `false`. */
  waitForRedis?: boolean;
}

function pem(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString() : value;
}

/** The option with buffers as text, which JSON can represent. */
export function plainCluster(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const { tls } = value as { tls?: unknown };
  if (tls === null || typeof tls !== 'object') return value;
  return { ...value, tls: Object.fromEntries(Object.entries(tls).map(([name, part]) => [name, pem(part)])) };
}
