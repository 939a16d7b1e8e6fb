// Plain HTTP against the server, for what the Socket.IO clients hide: status, headers, bodies.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { within } from './wait.mjs';

// One request on a connection of its own. Header names of the answer are lower case; body is a Buffer.
export function request(url, { method = 'GET', headers = {}, body, path, ...rest } = {}) {
  const target = new URL(url);
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  const answer = new Promise((resolve, reject) => {
    const options = {
      method,
      headers,
      host: target.hostname,
      port: target.port,
      path: path ?? target.pathname + target.search,
      agent: false,
      ...rest,
    };
    const outgoing = send(options, (incoming) => {
      const chunks = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode,
          headers: incoming.headers,
          rawHeaders: incoming.rawHeaders,
          body: bytes,
          text: bytes.toString(),
          json: () => JSON.parse(bytes.toString()),
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  return within(answer, `${method} ${url}`);
}

export const enginePath = (query = 'EIO=4&transport=polling') => `/socket.io/?${query}`;

// An Engine.IO v4 polling session opened by hand.
export async function openPolling(url, headers = {}) {
  const answer = await request(url + enginePath(), { headers });
  if (answer.status !== 200) throw new Error(`open: HTTP ${answer.status} ${answer.text}`);
  const handshake = JSON.parse(answer.text.slice(1));
  const at = url + enginePath(`EIO=4&transport=polling&sid=${handshake.sid}`);
  return {
    answer,
    handshake,
    sid: handshake.sid,
    at,
    get: (options) => request(at, options),
    post: (body, options = {}) =>
      request(at, {
        method: 'POST',
        body,
        headers: { 'content-type': 'text/plain;charset=UTF-8', 'content-length': Buffer.byteLength(body) },
        ...options,
      }),
  };
}

// The packets of a polling payload (Engine.IO v4: record separator between packets).
export const packets = (text) => text.split('\u001e');
