// Node HTTP servers in front of the core; they keep their ports and routes. Upgrades on the path of Socket.IO go to the
// core with their descriptor, out of Node's hands; polling requests are passed to the core and answered through Node.
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { NativeServer } from '../native/bindings';
import type { ServerOptions } from '../options/server-options';
import { fileName } from './client-files';
import { letGoOfResponse, prepare } from './request';
import { UpgradeResponse } from './response';
import type { EngineResponse } from './response';

const EMPTY = Buffer.alloc(0);
/** Largest body when `maxHttpBufferSize` is not given; the core's default. */
const MAX_BODY = 1_000_000;

/** Number of the last request that was passed in, whichever server it came to. */
let last = 0;

/** What a request passes on its way to the core: the engine. */
export interface Gate {
  /** Runs the middlewares, then `go`, or `refuse` if one fails. */
  through(req: IncomingMessage, res: EngineResponse, go: () => void, refuse: (code: number, message: string) => void): void;
  /** Keeps a request that the core may ask about; returns its tag. */
  remember(req: IncomingMessage): number;
  /** The request with that tag was answered. */
  answered(tag: number): void;
  /** The request with that tag did not reach the core. */
  drop(tag: number): void;
}

type RequestListener = (req: IncomingMessage, res: ServerResponse) => void;

/** An HTTP server in front. */
interface Front {
  server: HttpServer;
  /** Gives the server back the listeners that it would have without this attachment. */
  leave: () => void;
  again: () => void;
  /** Has emitted `close` and not listened since. */
  ended: boolean;
  left: boolean;
}

/** The last attachment to each server, by path. */
const owners = new WeakMap<HttpServer, Map<string, Attachment>>();

/** Brings the requests of HTTP servers to one core. */
export class Attachment {
  private readonly responses = new Map<number, ServerResponse>();
  private closing = false;
  /** The core is closed. */
  private over = false;
  private readonly fronts: Front[] = [];
  private readonly path: string;

  constructor(
    private readonly native: NativeServer,
    private readonly options: Partial<ServerOptions>,
    path: string,
    private readonly gate: Gate,
  ) {
    this.path = options.addTrailingSlash === false ? path : `${path}/`;
  }

  /**
   * Handles the requests of a server that are on our path. `closed` is called when the server closes, `again` when it
   * listens after the core began to close.
   */
  listen(server: HttpServer, closed: () => void, again: () => void): void {
    const others = server.listeners('request') as RequestListener[];
    const request = (req: IncomingMessage, res: ServerResponse): void => {
      // The engine's middlewares do not run for client files.
      if (front.left) for (const other of others) other.call(server, req, res);
      else if (this.serves(req)) this.request(req, res);
      else if (this.ours(req)) this.requestThrough(req, res);
      else for (const other of others) other.call(server, req, res);
    };
    const upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
      // Another attachment may have taken over this path.
      if (this.closing && owners.get(server)?.get(this.path) !== this) return;
      if (this.ours(req)) this.upgradeThrough(req, socket as NetSocket, head);
      else if (this.options.destroyUpgrade !== false) this.endLater(socket as NetSocket);
    };
    const front: Front = { server, again, ended: false, left: false, leave: () => {
      if (front.left) return;
      front.left = true;
      const now = server.rawListeners('request') as RequestListener[];
      server.removeAllListeners('request');
      for (const each of now) {
        for (const listener of each === request ? others : [each]) server.on('request', listener);
      }
      server.off('upgrade', upgrade);
      server.off('listening', begin);
      server.off('close', end);
    } };
    const begin = (): void => {
      front.ended = false;
    };
    const end = (): void => {
      front.ended = true;
      if (this.over) front.leave();
      else closed();
    };
    server.removeAllListeners('request');
    server.on('request', request);
    server.on('upgrade', upgrade);
    server.on('listening', begin);
    server.on('close', end);
    this.fronts.push(front);
    const here = owners.get(server) ?? new Map<string, Attachment>();
    owners.set(server, here.set(this.path, this));
  }

  private ours(req: IncomingMessage): boolean {
    return (req.url ?? '').startsWith(this.path);
  }

  private serves(req: IncomingMessage): boolean {
    return this.options.serveClient !== false && fileName(this.options.path as string, req.url ?? '') !== undefined;
  }

  /** An upgrade on another path. Node closes upgrades only if nothing listens for them, and this attachment does. */
  private endLater(socket: NetSocket): void {
    socket.on('error', () => {});
    setTimeout(() => {
      if (socket.writable && socket.bytesWritten <= 0) socket.end();
    }, this.options.destroyUpgradeTimeout ?? 1000).unref();
  }

  /** An upgrade on our path. */
  upgradeThrough(req: IncomingMessage, socket: NetSocket, head: Buffer): void {
    socket.on('error', () => {});
    prepare(req);
    const refuse = (_code: number, message: string): void => {
      const length = Buffer.byteLength(message);
      const head = `Connection: close\r\nContent-type: text/html\r\nContent-Length: ${length}`;
      socket.end(`HTTP/1.1 400 Bad Request\r\n${head}\r\n\r\n${message}`);
    };
    const go = (): void => {
      if (socket.writable) this.upgrade(req, socket, head);
    };
    this.gate.through(req, new UpgradeResponse(req, socket), go, refuse);
  }

  /** A request on our path. */
  requestThrough(req: IncomingMessage, res: ServerResponse): void {
    prepare(req, res);
    const refuse = (code: number, message: string): void => {
      // A middleware may have begun to answer before it failed.
      if (res.headersSent) return void (res.writableEnded || res.end());
      res.writeHead(400, { 'Content-Type': 'application/json' });
      res.end(JSON.stringify({ code, message }));
    };
    this.gate.through(req, res, () => this.request(req, res), refuse);
  }

  private upgrade(req: IncomingMessage, socket: NetSocket, head: Buffer): void {
    if (this.closing) {
      socket.destroy();
      return;
    }
    const tag = this.gate.remember(req);
    try {
      this.handOver(req, socket, head, tag);
    } catch {
      // The client has left, or there is no free descriptor.
      this.gate.drop(tag);
      socket.destroy();
    }
  }

  private handOver(req: IncomingMessage, socket: NetSocket, head: Buffer, tag: number): void {
    const raw = Buffer.concat([requestHead(req), head]);
    const fd = isEncrypted(socket) ? -1 : descriptor(socket);
    // Node keeps the peer's address once it was read; after the hand-over it can't be read any more.
    if (tag !== 0) void socket.remoteAddress;
    if (fd >= 0) {
      // Node has gone on reading while middlewares ran.
      const read = socket.read() as Buffer | null;
      this.native.adopt(fd, read ? Buffer.concat([raw, read]) : raw, tag);
      socket.destroy();
      return;
    }
    const { remoteAddress = '', remotePort = 0 } = socket;
    const inner = new NetSocket({
      fd: this.native.adoptPiped(raw, remoteAddress, remotePort, isEncrypted(socket), tag),
      readable: true,
      writable: true,
    });
    inner.on('error', () => socket.destroy());
    inner.on('close', () => socket.destroy());
    socket.on('close', () => inner.destroy());
    socket.setTimeout(0);
    socket.pipe(inner).pipe(socket);
  }

  private request(req: IncomingMessage, res: ServerResponse): void {
    if (!hasBody(req)) {
      // Without a body there is nothing to wait for. If the client leaves now, the core must have the request already.
      req.resume();
      this.pass(req, res, EMPTY);
      return;
    }
    const limit = this.options.maxHttpBufferSize ?? MAX_BODY;
    const chunks: Buffer[] = [];
    let length = 0;
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limit) {
        chunks.push(chunk);
      } else if (!res.headersSent) {
        chunks.length = 0;
        res.writeHead(413).end();
      }
    });
    req.on('end', () => {
      if (length <= limit) this.pass(req, res, chunks.length === 0 ? EMPTY : Buffer.concat(chunks));
    });
  }

  private pass(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
    if (this.over) {
      res.writeHead(503, { Connection: 'close' }).end();
      return;
    }
    const number = ++last;
    this.responses.set(number, res);
    const tag = this.gate.remember(req);
    res.on('close', () => {
      letGoOfResponse(req);
      this.native.httpOver(number, this.responses.delete(number));
      this.gate.answered(tag);
    });
    const { remoteAddress = '', remotePort = 0 } = req.socket;
    this.native.http(
      number, req.method ?? 'GET', req.url ?? '', req.rawHeaders, body, remoteAddress, remotePort,
      isEncrypted(req.socket), tag,
    );
  }

  /** The core answers a request; returns whether the request came through this attachment. */
  reply(number: number, status: number, headers: string[], body: Buffer): boolean {
    const res = this.responses.get(number);
    if (!res) return false;
    this.responses.delete(number);
    // `close` of Node's server waits for connections that clients keep open.
    if (this.closing) res.setHeader('Connection', 'close');
    for (let i = 0; i < headers.length; i += 2) res.appendHeader(headers[i], headers[i + 1]);
    if (!res.hasHeader('content-length') && status !== 204 && status !== 304) {
      res.setHeader('Content-Length', body.length);
    }
    res.writeHead(status);
    res.end(body);
    return true;
  }

  /** Whether any server in front listens. */
  get listening(): boolean {
    return this.fronts.some(({ server }) => server.listening);
  }

  /** The core begins to close: its next answer on a connection is the last one. */
  close(): void {
    this.closing = true;
    for (const { server, again, leave } of this.fronts) {
      server.once('listening', () => {
        leave();
        // Another attachment may have taken over this path meanwhile.
        if (owners.get(server)?.get(this.path) === this) again();
      });
    }
  }

  /**
   * The core is closed and answers no more: its pending requests are refused here. Requests that come later, on
   * connections that a server in front still has, are refused until that server closes: its `close` waits for their
   * answers.
   */
  closed(): void {
    this.over = true;
    for (const res of this.responses.values()) res.writeHead(503, { Connection: 'close' }).end();
    this.responses.clear();
    for (const front of this.fronts) if (front.ended) front.leave();
  }
}

/** Whether a request has a body. In HTTP/2 the head does not tell; there only POST requests on our path have one. */
function hasBody({ headers, httpVersionMajor, method }: IncomingMessage): boolean {
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return true;
  return httpVersionMajor > 1 && method === 'POST';
}

function isEncrypted(socket: NetSocket): boolean {
  return (socket as NetSocket & { encrypted?: boolean }).encrypted === true;
}

function descriptor(socket: NetSocket): number {
  const handle = (socket as NetSocket & { _handle?: { fd?: number } })._handle;
  return typeof handle?.fd === 'number' ? handle.fd : -1;
}

/** The request head as it was on the wire, except for spaces. */
function requestHead(req: IncomingMessage): Buffer {
  let text = `${req.method} ${req.url} HTTP/${req.httpVersion}\r\n`;
  for (let i = 0; i < req.rawHeaders.length; i += 2) text += `${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}
