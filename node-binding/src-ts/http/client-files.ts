// The bundles of socket.io-client, served under the server's path: `/socket.io/socket.io.js`. The build copies them
// into the package, as socket.io's own does.
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, deflate, gzip } from 'node:zlib';

const FOLDER = join(__dirname, '../../client-dist');

/** Names of the files. */
export const CLIENT_FILES: ReadonlySet<string> = new Set(
  ['', '.min', '.msgpack.min', '.esm.min'].flatMap((kind) => [`socket.io${kind}.js`, `socket.io${kind}.js.map`]),
);

/** Status, headers as a flat list, body. */
export type FileAnswer = [status: number, headers: string[], body: Buffer];

const SQUEEZE = { br: promisify(brotliCompress), gzip: promisify(gzip), deflate: promisify(deflate) };
type Encoding = keyof typeof SQUEEZE;

/** Each file in each encoding is read and compressed once per process; together they are some 2 MB. */
const bodies = new Map<string, Promise<Buffer>>();
let version: Promise<string> | undefined;

/** The file that a URL under `path` asks for, if it is one of ours. */
export function fileName(path: string, url: string): string | undefined {
  const name = url.startsWith(`${path}/`) ? url.slice(path.length + 1).split('?')[0] : '';
  return CLIENT_FILES.has(name) ? name : undefined;
}

/** The encoding that the client prefers: by weight, then by the order in its header. */
export function preferred(accept: string | undefined): Encoding | undefined {
  let best: Encoding | undefined;
  let weight = 0;
  for (const item of (accept ?? '').split(',')) {
    const [name, ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const q = quality ? Number(quality.slice(2)) : 1;
    const encoding = name === '*' ? 'br' : name;
    if (q > weight && (encoding === 'identity' || Object.hasOwn(SQUEEZE, encoding))) {
      best = encoding === 'identity' ? undefined : (encoding as Encoding);
      weight = q;
    }
  }
  return best;
}

function body(name: string, encoding: Encoding | undefined): Promise<Buffer> {
  const key = `${encoding ?? 'plain'} ${name}`;
  let found = bodies.get(key);
  if (!found) {
    found = encoding
      ? body(name, undefined).then((plain) => SQUEEZE[encoding](plain))
      : readFile(join(FOLDER, name));
    bodies.set(key, found);
    found.catch(() => bodies.delete(key));
  }
  return found;
}

/** Answers a request for one of the files. */
export async function clientFile(name: string, headers: IncomingHttpHeaders): Promise<FileAnswer> {
  try {
    const etag = `"${await (version ??= readFile(join(FOLDER, 'version'), 'utf8'))}"`;
    const known = headers['if-none-match'];
    if (known === etag || known === `W/${etag}`) return [304, [], Buffer.alloc(0)];
    const encoding = preferred(headers['accept-encoding'] as string | undefined);
    const type = name.endsWith('.map') ? 'json' : 'javascript';
    const answer = [
      'Cache-Control', 'public, max-age=0', 'Content-Type', `application/${type}; charset=utf-8`, 'ETag', etag,
      'Vary', 'Accept-Encoding',
    ];
    if (encoding) answer.push('Content-Encoding', encoding);
    return [200, answer, await body(name, encoding)];
  } catch {
    version = undefined;
    return [404, ['Content-Type', 'text/plain; charset=utf-8'], Buffer.from('Not found')];
  }
}
