// Figures of a server, as `io.stats()` gives them.

import { clusterFigures, serverFigures } from '../generated/figures';
import type { ClusterFigures, ServerFigures } from '../generated/figures';

/** Figures of a running server; `docs/figures.md` has them in a table. */
export interface ServerStats extends ServerFigures {
  /** What the modules of `io.loadModule` have done, in the order in which they were loaded. */
  modules: ModuleStats[];
  /** The connection to the other nodes; with the option `cluster`. */
  cluster?: ClusterStats;
}

/** Figures of a module. */
export interface ModuleStats {
  /** The name that it gave itself, or its file's. */
  name: string;
  /** The file. */
  path: string;
  /** Calls of its functions. */
  calls: number;
  /** Events that it kept to itself. */
  dropped: number;
  /** Events that it changed. */
  replaced: number;
  /** Clients that it turned away. */
  rejected: number;
}

/** Figures of a server's part in its fleet. */
export interface ClusterStats extends Omit<ClusterFigures, 'up'> {
  /** Connected to Redis, and everything is subscribed. */
  up: boolean;
}

/** What the addon gives: values in the order of the core's tables. */
export interface NativeStats {
  figures: number[];
  modules: ModuleStats[];
  cluster?: number[];
}

/** The figures of a server; all are 0 for one that is not running. */
export function statsOf(native: NativeStats = { figures: [], modules: [] }): ServerStats {
  const stats: ServerStats = { ...serverFigures(native.figures), modules: native.modules };
  if (native.cluster) {
    const figures = clusterFigures(native.cluster);
    stats.cluster = { ...figures, up: figures.up === 1 };
  }
  return stats;
}
