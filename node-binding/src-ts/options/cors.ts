// The option `cors` with functions or patterns: the core asks for the rules of each request. As in the `cors` package,
// a falsy origin means no headers at all.
import type { IncomingMessage } from 'node:http';
import { types } from 'node:util';
import type { CorsOptions, CorsOptionsDelegate, CorsOrigin } from '../shapes/options';

export type { CorsOptions, CorsOptionsDelegate, CorsOrigin };

/** What is read of a request; functions of the application get all of it. */
type Req = Pick<IncomingMessage, 'headers'>;

/** Whether the core has to ask for the rules. Patterns are matched here, because their syntax is JavaScript's. */
export function isDynamic(cors: unknown): boolean {
  const origin = (cors as CorsOptions | undefined)?.origin;
  return typeof cors === 'function' || typeof origin === 'function' || hasPattern(origin);
}

function hasPattern(origin: unknown): boolean {
  return Array.isArray(origin) ? origin.some(hasPattern) : types.isRegExp(origin);
}

/** The rule as the core can check it at start. */
export function withoutPatterns(rule: unknown): unknown {
  return Array.isArray(rule) ? rule.map(withoutPatterns) : types.isRegExp(rule) || rule;
}

/** The rule, with each pattern replaced by whether it matches this origin. */
function decided(rule: unknown, origin: string | undefined): unknown {
  if (types.isRegExp(rule)) return rule.test(String(origin));
  return Array.isArray(rule) ? rule.map((each) => decided(each, origin)) : rule;
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
    const rules = (origin: unknown): void => {
      // In a list, as a lone `false` would mean no headers at all.
      const rule = decided(types.isRegExp(origin) ? [origin] : origin, req.headers.origin);
      answer(rule ? JSON.stringify({ ...options, origin: rule }) : 'false');
    };
    const origin = options.origin as CorsOrigin;
    if (typeof origin !== 'function') return rules(origin);
    origin(req.headers.origin, (failed, decided) => (failed ? answer(undefined) : rules(decided)));
  });
}
