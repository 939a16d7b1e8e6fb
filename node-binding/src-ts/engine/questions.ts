// The engine for other folders: these functions call its internal members.
import type { Gate } from '../http/attachment';
import type { NativeServer } from '../native/bindings';
import type { Engine } from './engine';

/** The engine between HTTP servers and the core. */
export function gateOf(engine: Engine): Gate {
  return {
    through: (req, res, go, refuse) => engine._through(req, res, go, refuse),
    remember: (req) => engine._remember(req),
    answered: (tag) => engine._answered(tag),
    drop: (tag) => engine._drop(tag),
  };
}

/** Tells the core again what to ask: the options have changed, or the core has started. */
export function updateHooks(engine: Engine): void {
  engine._hook();
}

/** Subscribes to the end of each connection. */
export function hearEnds(engine: Engine): void {
  engine._hearEnds();
}

/** The core asks whether a handshake is accepted, and for the headers of its answer. */
export function answerHandshake(engine: Engine, native: NativeServer, number: number, [id, request]: [string, string]): void {
  engine._askAllow(id, request, (decision) => {
    if (decision) native.answerAllow(number, decision.refuse, decision.headers, decision.sid);
    else native.failAllow(number);
  });
}

/** The core asks for the headers of an answer. */
export function answerHeaders(engine: Engine, native: NativeServer, number: number, request: string): void {
  native.answerHeaders(number, engine._askHeaders(request));
}

/** A request on the core's own listener passes the middlewares. */
export function answerMiddlewares(engine: Engine, native: NativeServer, number: number, request: string): void {
  engine._askMiddleware(request, (status, headers, body, tag) => native.answerEngine(number, status, headers, body, tag));
}

/** The core asks for the cross-origin rules of a request. */
export function answerCors(engine: Engine, native: NativeServer, number: number, request: string): void {
  engine._askCors(request, (rules) => native.answerCors(number, rules));
}

/** The core refused a request. */
export function tellConnectionError(engine: Engine, code: number, told: [message: string, context: object, request: string]): void {
  engine._connectionError(code, ...told);
}
