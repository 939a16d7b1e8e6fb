// Serves the page as it lies in public/, and the socket.io-client bundle. There is no build step.

import { readFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { dirname, extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locate } from './locate.mjs';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const headers = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** A request listener for `http.createServer`. */
export function createPage() {
  const files = listFiles(fileURLToPath(new URL('../public', import.meta.url)));
  files.set('/', files.get('/index.html'));
  files.set('/vendor/socket.io.js', clientBundle());

  return async function servePage(request, response) {
    const { pathname } = new URL(request.url, 'http://page');
    const file = files.get(pathname);
    if (!file) return answer(response, 404, 'Not found\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'Method not allowed\n');
    try {
      const body = await readFile(file);
      response.writeHead(200, { ...headers, 'Content-Type': types[extname(file)], 'Content-Length': body.length });
      response.end(request.method === 'HEAD' ? undefined : body);
    } catch (error) {
      console.error(`${pathname}:`, error);
      answer(response, 500, 'Could not read the file\n');
    }
  };
}

// The client's package names no entry for its ready-made ES module, so the path is put together here.
function clientBundle() {
  return join(dirname(locate('socket.io-client/package.json')), 'dist/socket.io.esm.min.js');
}

/** URL path -> file. Only what was listed at start can be asked for, so no path escapes the folder. */
function listFiles(root) {
  const files = new Map();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    files.set(file.slice(root.length).split(sep).join('/'), file);
  }
  return files;
}

function answer(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(text);
}
