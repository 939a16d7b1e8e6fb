// An HTTP/2 server in front: browsers poll over it, and a POST need not say how long it is.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { test } from 'node:test';
import { makeCertificate } from '../support/certificate.mjs';
import { serveAttached } from '../support/harness.mjs';
import { event } from '../support/wait.mjs';

const certificate = makeCertificate();

/** One request; its body goes in pieces, without a content-length. */
function ask(session, method, path, pieces = []) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': method, ':path': path });
    let status;
    let body = '';
    stream.setEncoding('utf8');
    stream.on('response', (headers) => { status = headers[':status']; });
    stream.on('data', (text) => { body += text; });
    stream.on('end', () => resolve({ status, body }));
    stream.on('error', reject);
    for (const piece of pieces) stream.write(piece);
    stream.end();
  });
}

test('a session polls over HTTP/2, its POSTs without a content-length', async (t) => {
  const front = http2.createSecureServer({ ...certificate, allowHTTP1: true });
  const sessions = [];
  // Before the server closes, which waits for it.
  t.after(() => sessions.forEach((session) => session.destroy()));
  const { io, url } = await serveAttached(t, {}, front, 'https');
  const session = http2.connect(url, { rejectUnauthorized: false });
  sessions.push(session);
  const target = '/socket.io/?EIO=4&transport=polling';
  const open = await ask(session, 'GET', target);
  assert.equal(open.status, 200);
  const mine = `${target}&sid=${JSON.parse(open.body.slice(1)).sid}`;
  const joined = event(io, 'connection');
  assert.deepEqual(await ask(session, 'POST', mine, ['4', '0']), { status: 200, body: 'ok' });
  const [socket] = await joined;
  const told = await ask(session, 'GET', mine);
  assert.match(told.body, /^40\{/);
  const got = event(socket, 'long');
  assert.deepEqual(await ask(session, 'POST', mine, ['42["long","', 'x'.repeat(50_000), '"]']), { status: 200, body: 'ok' });
  assert.equal((await got)[0].length, 50_000);
});
