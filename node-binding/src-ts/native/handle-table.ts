// Objects by the core's handle: shard and slot make an index, the generation tells earlier users of a slot from later
// ones.

/** A lane of 29 bits (shard in the low 6) and one of 24 make a handle. */
const GENERATION = 2 ** 29;
const SHARD_BITS = 6;
const SHARD_MASK = 63;

/** The handle that two lanes make. */
export function handleOf(low: number, generation: number): number {
  return generation * GENERATION + low;
}

/** The two lanes of a handle. */
export function lanesOf(handle: number): [low: number, generation: number] {
  return [handle % GENERATION, Math.floor(handle / GENERATION)];
}

/** See above. `handleOfItem` reads the handle of an item. */
export class HandleTable<T> {
  private readonly shards: (T | undefined)[][] = [];

  constructor(private readonly handleOfItem: (item: T) => number) {}

  /** The item with that handle, if the table still has it. */
  find(low: number, generation: number): T | undefined {
    const found = this.shards[low & SHARD_MASK]?.[low >>> SHARD_BITS];
    return found && this.handleOfItem(found) === generation * GENERATION + low ? found : undefined;
  }

  add(item: T): void {
    const low = this.handleOfItem(item) % GENERATION;
    (this.shards[low & SHARD_MASK] ??= [])[low >>> SHARD_BITS] = item;
  }

  /** Removes an item, but not a later one in its slot. */
  remove(item: T): void {
    const low = this.handleOfItem(item) % GENERATION;
    const shard = this.shards[low & SHARD_MASK];
    if (shard?.[low >>> SHARD_BITS] === item) shard[low >>> SHARD_BITS] = undefined;
  }
}
