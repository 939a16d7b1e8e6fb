// The request that opened a connection. The core gives it as one JSON text, which is parsed when an application first
// reads from it.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { ParsedUrlQuery } from 'node:querystring';

/** The request with which a client connected. An ordinary object: applications hang their user on it. */
export interface Handshake {
  /** Request headers, names in lower case. */
  headers: IncomingHttpHeaders;
  /** When the client connected, as text. */
  time: string;
  /** Address of the client. */
  address: string;
  /** The request came from another origin. */
  xdomain: boolean;
  /** The connection is encrypted. */
  secure: boolean;
  /** When the client connected, in milliseconds since the epoch. */
  issued: number;
  /** Path and query of the request. */
  url: string;
  /** Query of the request. */
  query: ParsedUrlQuery;
  /** What the client gave as `auth`. */
  auth: { [key: string]: any };
}

/** The JSON text, parsed. */
interface RawRequest {
  method: string;
  url: string;
  headers: string[];
  address: string;
  port: number;
  secure: boolean;
  transport: string;
  protocol: number;
  issued: number;
  auth: { [key: string]: any };
}

// Node keeps the first of these when a client repeats them.
const SINGLE = new Set([
  'age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host',
  'if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards',
  'proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent',
]);

function headersOf(flat: string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i];
    const value = flat[i + 1];
    if (name === 'set-cookie') {
      (headers['set-cookie'] ??= []).push(value);
    } else if (!Object.prototype.hasOwnProperty.call(headers, name)) {
      headers[name] = value;
    } else if (!SINGLE.has(name)) {
      headers[name] += (name === 'cookie' ? '; ' : ', ') + value;
    }
  }
  return headers;
}

function queryOf(url: string): ParsedUrlQuery {
  const mark = url.indexOf('?');
  return mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark + 1)));
}

/** A request with what engine.io puts on it. */
export type QueriedRequest = IncomingMessage & { _query?: ParsedUrlQuery; res?: ServerResponse | null };

/**
 * Sets the properties that engine.io sets on a request, before hooks and middlewares get it. A `_query` that is there
 * already stays.
 */
export function prepare(req: IncomingMessage, res?: ServerResponse): void {
  const queried = req as QueriedRequest;
  queried._query ??= queryOf(req.url ?? '');
  if (res) queried.res = res;
}

/** The session id in the query of a request. */
export function sessionIdOf(req: QueriedRequest | undefined): unknown {
  return req?._query?.sid;
}

/** Drops the response of a request: the request may be kept as long as its connection, the response must not. */
export function letGoOfResponse(req: IncomingMessage): void {
  if ('res' in req) req.res = null;
}

/** What `socket.request` gives: the readable part of Node's IncomingMessage. */
export class EngineRequest {
  readonly httpVersion = '1.1';
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor = 1;
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  /** Peer of the connection. */
  socket: { remoteAddress: string; remotePort: number; encrypted: boolean };
  /** Query, as engine.io keeps it. */
  _query: ParsedUrlQuery;
  /** The response, while middlewares and hooks may answer in the engine's place. */
  res?: ServerResponse | null;
  /** Transport and Engine.IO protocol that the connection began with. */
  readonly transport: string;
  readonly protocol: number;

  constructor(raw: RawRequest) {
    this.method = raw.method;
    this.url = raw.url;
    this.headers = headersOf(raw.headers);
    this.rawHeaders = raw.headers;
    this.socket = { remoteAddress: raw.address, remotePort: raw.port, encrypted: raw.secure };
    this._query = queryOf(raw.url);
    this.transport = raw.transport;
    this.protocol = raw.protocol;
  }

  /** Alias of `socket`. */
  get connection(): EngineRequest['socket'] {
    return this.socket;
  }
}

/** Parses the core's text. */
export function parseRequest(text: string): EngineRequest {
  return new EngineRequest(JSON.parse(text));
}

/**
 * Copies what the engine's middlewares have changed on the request: in socket.io the handshake has the same objects.
 */
export function asSeen(handshake: Handshake, seen: QueriedRequest): void {
  handshake.headers = seen.headers;
  handshake.query = seen._query ?? handshake.query;
  handshake.url = seen.url ?? handshake.url;
}

/** Request and handshake of one socket; they share their headers object, as in socket.io. */
export function parseHandshake(text: string): { request: EngineRequest; handshake: Handshake } {
  const raw = JSON.parse(text) as RawRequest;
  const request = new EngineRequest(raw);
  const handshake = {
    headers: request.headers,
    time: String(new Date(raw.issued)),
    address: raw.address,
    xdomain: !!request.headers.origin,
    secure: raw.secure,
    issued: raw.issued,
    url: raw.url,
    query: request._query,
    auth: raw.auth,
  };
  return { request, handshake };
}
