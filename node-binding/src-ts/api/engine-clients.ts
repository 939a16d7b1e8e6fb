// `io.engine.clients` of the Server door: connections by their `id`. A proxy makes the object of a connection when it
// is read, so that the other connections need none.
import type { Clients } from './clients';
import type { Connection } from './connection';

/** Reads as an object of all connections that have a socket or an object. */
export function clientsById(clients: () => Clients): Record<string, Connection> {
  const find = (key: string | symbol): Connection | undefined =>
    typeof key === 'string' ? clients().find(key) : undefined;
  return new Proxy<Record<string, Connection>>(Object.create(null), {
    get: (_target, key) => find(key),
    has: (_target, key) => find(key) !== undefined,
    ownKeys: () => clients().all().map(({ id }) => id),
    getOwnPropertyDescriptor: (_target, key) => {
      const value = find(key);
      return value && { value, enumerable: true, configurable: true };
    },
    set: () => false,
    deleteProperty: () => false,
    defineProperty: () => false,
  });
}
