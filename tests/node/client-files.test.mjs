// The client's bundles under the server's path.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { serve, serveAttached } from '../support/harness.mjs';
import { request } from '../support/http.mjs';

const client = dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json'));
const { version } = JSON.parse(readFileSync(join(client, 'package.json'), 'utf8'));
const FILES = [
  'socket.io.js', 'socket.io.js.map', 'socket.io.min.js', 'socket.io.min.js.map', 'socket.io.msgpack.min.js',
  'socket.io.msgpack.min.js.map', 'socket.io.esm.min.js', 'socket.io.esm.min.js.map',
];
const original = (name) => readFileSync(join(client, 'dist', name));

for (const [name, start] of [['a port', serve], ['a Node HTTP server', serveAttached]]) {
  test(`all eight files are served by a server made from ${name}`, async (t) => {
    const { url } = await start(t, {});
    for (const file of FILES) {
      const answer = await request(`${url}/socket.io/${file}`);
      assert.equal(answer.status, 200, file);
      assert.ok(answer.body.equals(original(file)), file);
      const type = file.endsWith('.map') ? 'application/json' : 'application/javascript';
      assert.equal(answer.headers['content-type'], `${type}; charset=utf-8`);
      assert.equal(answer.headers['cache-control'], 'public, max-age=0');
      assert.equal(answer.headers.etag, `"${version}"`);
      assert.equal(answer.headers['content-encoding'], undefined);
    }
  });

  test(`they are compressed as the client likes, by a server made from ${name}`, async (t) => {
    const { url } = await start(t, {});
    const file = 'socket.io.min.js';
    const ask = (accept) => request(`${url}/socket.io/${file}`, { headers: { 'accept-encoding': accept } });
    for (const [accept, encoding, decode] of [
      ['br', 'br', brotliDecompressSync],
      ['gzip', 'gzip', gunzipSync],
      ['deflate', 'deflate', inflateSync],
      ['gzip, deflate, br', 'gzip', gunzipSync],
      ['gzip;q=0.5, br;q=0.9', 'br', brotliDecompressSync],
      ['gzip;q=0, br', 'br', brotliDecompressSync],
      ['identity', undefined, (body) => body],
      ['zstd', undefined, (body) => body],
      ['', undefined, (body) => body],
    ]) {
      const answer = await ask(accept);
      assert.equal(answer.headers['content-encoding'], encoding, accept);
      assert.ok(decode(answer.body).equals(original(file)), accept);
    }
  });

  test(`who has the file is told so, by a server made from ${name}`, async (t) => {
    const { url } = await start(t, {});
    for (const [etag, status] of [[`"${version}"`, 304], [`W/"${version}"`, 304], ['"0.1.0"', 200], ['*', 200]]) {
      const headers = { 'if-none-match': etag };
      const answer = await request(`${url}/socket.io/socket.io.js`, { headers });
      assert.equal(answer.status, status, etag);
      assert.equal(answer.body.length > 0, status === 200);
    }
  });

  test(`serveClient: false serves none, by a server made from ${name}`, async (t) => {
    const { io, url } = await start(t, { serveClient: false });
    assert.equal(io.serveClient(), false);
    const answer = await request(`${url}/socket.io/socket.io.js`);
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.json(), { code: 0, message: 'Transport unknown' });
  });

  test(`other names, another path and cross-origin rules, by a server made from ${name}`, async (t) => {
    const { io, url } = await start(t, { path: '/here', cors: { origin: 'http://page.example' } });
    assert.equal(io.serveClient(), true);
    const answer = await request(`${url}/here/socket.io.js?v=1`, { headers: { origin: 'http://page.example' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['access-control-allow-origin'], 'http://page.example');
    assert.equal((await request(`${url}/here/socket.io.jsx`)).status, 400);
    assert.equal((await request(`${url}/here/version`)).status, 400);
    assert.equal((await request(`${url}/here/..%2fpackage.json`)).status, 400);
    assert.equal((await request(`${url}/socket.io/socket.io.js`)).status, 404);
  });
}

test('the engine\'s middlewares are not asked about files, and neither is the application', async (t) => {
  const asked = [];
  const app = createServer((req, res) => {
    asked.push(req.url);
    res.end('application');
  });
  const { io, url } = await serveAttached(t, {}, app);
  io.engine.use((req, _res, next) => {
    asked.push(`engine ${req.url}`);
    next();
  });
  assert.equal((await request(`${url}/socket.io/socket.io.js`)).status, 200);
  assert.equal((await request(`${url}/elsewhere`)).text, 'application');
  assert.deepEqual(asked, ['/elsewhere']);
});
