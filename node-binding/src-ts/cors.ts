// The `cors` option where it is, or holds, a function: the core asks for each request, and the answer are the rules
// that then hold. As in the `cors` package, a falsy origin means no headers at all.
import type { IncomingMessage } from 'node:http';
import type { CorsOptions, CorsOrigin } from './options';
import type { EngineRequest } from './request';

type Req = IncomingMessage | EngineRequest;

/** What an origin may be where it is fixed. */
export type StaticOrigin = boolean | string | RegExp | (boolean | string | RegExp)[];

/** Decides about one origin. */
export type CustomOrigin = (
  requestOrigin: string | undefined,
  callback: (err: Error | null, origin?: StaticOrigin) => void,
) => void;

/** Gives the rules for one request. */
export type CorsOptionsDelegate = (req: any, callback: (err: Error | null, options?: CorsOptions) => void) => void;

/** Whether the rules have to be asked for. */
export function isDynamic(cors: unknown): boolean {
  return typeof cors === 'function' || typeof (cors as CorsOptions | undefined)?.origin === 'function';
}

/** With patterns written as JSON can carry them. */
export function plainOrigin(value: unknown): unknown {
  if (value instanceof RegExp) return { regex: value.source, flags: value.flags };
  return Array.isArray(value) ? value.map(plainOrigin) : value;
}

/** Finds the rules for a request; `answer` gets their JSON, or nothing if that failed. */
export function resolve(
  cors: CorsOptions | CorsOptionsDelegate,
  req: Req,
  answer: (rules: string | undefined) => void,
): void {
  const delegate: CorsOptionsDelegate = typeof cors === 'function' ? cors : (_req, callback) => callback(null, cors);
  delegate(req, (err, given) => {
    if (err) return answer(undefined);
    const options: CorsOptions = { origin: '*', ...given };
    const rules = (origin: unknown): void =>
      answer(origin ? JSON.stringify({ ...options, origin: plainOrigin(origin) }) : 'false');
    const origin = options.origin as CorsOrigin;
    if (typeof origin !== 'function') return rules(origin);
    origin(req.headers.origin, (failed, decided) => (failed ? answer(undefined) : rules(decided)));
  });
}
