// Options of one server over its life: those of the constructor stay, those of an `attach` hold until the server starts
// again.
import { coded } from '../native/error';
import { plainCluster } from '../options/cluster-options';
import type { ClusterOptions } from '../options/cluster-options';
import type { ServerOptions } from '../options/server-options';
import { check } from './core-options';
import { withDefaults } from './recovery';

/** See above. */
export class OwnOptions {
  /** The options that hold now. */
  readonly values: Partial<ServerOptions>;
  /** Names of those that came with `attach`. */
  private readonly attached: string[] = [];
  /** The path where no `attach` names another. */
  private path = '';

  constructor(given: Partial<ServerOptions>) {
    this.values = { ...given };
    const { connectionStateRecovery: recovery } = given;
    if (recovery) this.values.connectionStateRecovery = withDefaults(recovery) as typeof recovery;
    this.setPath(given.path ?? '/socket.io');
    if (given.path === undefined) this.attached.push('path');
  }

  setPath(value: string): void {
    this.values.path = this.path = value.replace(/\/$/, '');
  }

  /** Takes the options of an `attach`; those of the constructor come first. `running`: the server has started. */
  attach(opts: Partial<ServerOptions>, running: boolean): void {
    const given: Record<string, unknown> = { ...opts, path: (opts.path ?? this.path).replace(/\/$/, '') };
    const mine = this.values as Record<string, unknown>;
    if (!running) {
      for (const name of this.attached.splice(0)) delete mine[name];
    }
    check({ ...given, ...mine });
    const fresh = Object.keys(given).filter((name) => !(name in mine));
    for (const name of fresh) mine[name] = given[name];
    this.attached.push(...fresh);
  }

  /** Sets the fleet. `false` if the server is in that fleet already; throws if it is in another. */
  setCluster(cluster: ClusterOptions): boolean {
    const { cluster: given } = this.values;
    if (given && JSON.stringify(plainCluster(given)) === JSON.stringify(plainCluster(cluster))) return false;
    if (given) throw coded('ERR_KRAKEN_WS_STATE', new Error('this server is in a fleet already, with other settings'));
    this.values.cluster = cluster;
    return true;
  }
}
