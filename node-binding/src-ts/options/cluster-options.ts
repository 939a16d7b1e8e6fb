// The option `cluster`, and its conversion for JSON. The core checks names and values; its table
// (`core/src/options/cluster.rs`) makes the types.
export type { ClusterFormat, ClusterOptions, RedisOptions } from '../generated/options';
export type { RedisPlace, RedisTls } from '../shapes/options';

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
