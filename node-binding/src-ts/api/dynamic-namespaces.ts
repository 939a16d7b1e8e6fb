// Namespaces that are made when a client asks for one: a parent per pattern, or per function that decides.
import { coded } from '../native/error';
import type { Namespace } from './namespace';
import { ParentNamespace } from './parent-namespace';
import type { Server } from './server';

/** Decides whether a namespace may be made: `next(null, true)`. */
export type ParentNspNameMatchFn = (
  name: string,
  auth: { [key: string]: any },
  fn: (err: Error | null, success: boolean) => void,
) => void;

/** The parents of one server. */
export class DynamicNamespaces {
  private readonly parents = new Map<ParentNspNameMatchFn, ParentNamespace<any, any, any, any>>();
  private readonly byPattern = new Map<RegExp, ParentNamespace<any, any, any, any>>();

  constructor(private readonly server: Server<any, any, any, any>) {}

  /** A new parent. */
  parent(name: RegExp | ParentNspNameMatchFn): ParentNamespace<any, any, any, any> {
    const parent = new ParentNamespace<any, any, any, any>(this.server);
    if (typeof name === 'function') {
      this.parents.set(name, parent);
    } else {
      if (name.global || name.sticky) {
        throw coded('ERR_KRAKEN_WS_NAME', new Error('stateful regular expressions are not supported'));
      }
      this.parents.set((nsp, _auth, next) => next(null, name.test(nsp)), parent);
      this.byPattern.set(name, parent);
    }
    return parent;
  }

  /** Makes the namespace of that name if a pattern matches it. Functions decide for clients only. */
  child(name: string): Namespace<any, any, any, any> | undefined {
    for (const [pattern, parent] of this.byPattern) {
      if (pattern.test(name)) return parent.createChild(name);
    }
    return undefined;
  }

  /** A client asks for a namespace that does not exist: the parents decide, in the order in which they were made. */
  ask(name: string, auth: { [key: string]: any }, answer: (exists: boolean) => void): void {
    const { _nsps: existing } = this.server;
    const candidates = [...this.parents];
    const next = (at: number): void => {
      if (existing.has(name)) return answer(true);
      if (at === candidates.length) return answer(false);
      const [decide, parent] = candidates[at];
      decide(name, auth, (err, allow) => {
        if (err || !allow) return next(at + 1);
        if (!existing.has(name)) parent.createChild(name);
        answer(true);
      });
    };
    next(0);
  }
}
