// HTTP/1.1 by hand: the request is the bytes the test writes, the response is parsed from what came back.
import { Tcp, PATIENCE_MS } from './tcp.mjs';

/** The text of a request; `headers` may be an object or an array of raw lines. */
export function requestText(method, target, headers = {}, body) {
  const lines = Array.isArray(headers) ? headers : Object.entries(headers).map(([k, v]) => `${k}: ${v}`);
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return `${method} ${target} HTTP/1.1\r\n${['Host: 127.0.0.1', ...lines, ...length].join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** Takes the next response off the connection. */
export function readResponse(tcp, ms = PATIENCE_MS) {
  return tcp.until('HTTP response', () => takeResponse(tcp), ms);
}

/** One request on a connection of its own. */
export async function request(port, method, target, { headers = {}, body, ms } = {}) {
  const tcp = await Tcp.connect(port);
  try {
    await tcp.write(requestText(method, target, Array.isArray(headers) ? [...headers, 'Connection: close'] : { ...headers, Connection: 'close' }, body));
    return await readResponse(tcp, ms);
  } finally {
    tcp.destroy();
  }
}

function takeResponse(tcp) {
  const headEnd = tcp.bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine, ...lines] = tcp.bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (!status) throw new Error(`not an HTTP response: ${statusLine}`);
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const start = headEnd + 4;
  const body = status === 101 || status === 204 || status === 304 ? { bytes: Buffer.alloc(0), size: 0 } : takeBody(tcp, start, headers);
  if (!body) return undefined;
  tcp.take(start + body.size);
  return { status, headers, body: body.bytes.toString('utf8') };
}

function takeBody(tcp, start, headers) {
  const bytes = tcp.bytes.subarray(start);
  if (headers['transfer-encoding'] === 'chunked') return takeChunks(bytes);
  if (headers['content-length'] === undefined) return tcp.ended ? { bytes, size: bytes.length } : undefined;
  const size = Number(headers['content-length']);
  return bytes.length < size ? undefined : { bytes: bytes.subarray(0, size), size };
}

function takeChunks(bytes) {
  const parts = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    const dataEnd = lineEnd + 2 + size;
    if (bytes.length < dataEnd + 2) return undefined;
    parts.push(bytes.subarray(lineEnd + 2, dataEnd));
    at = dataEnd + 2;
    if (size === 0) return { bytes: Buffer.concat(parts), size: at };
  }
}
