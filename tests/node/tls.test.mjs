// Behind TLS: Node's https server, and our own listener's tls option.
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { before, test } from 'node:test';
import { TRANSPORTS, pair, upgraded } from '../support/clients.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { openPolling, request } from '../support/http.mjs';
import { nativeOnly } from '../support/subject.mjs';
import { deferred, event, within } from '../support/wait.mjs';

let certificate;
before(() => {
  certificate = makeCertificate();
});

// The clients of this file trust exactly this certificate.
const trusting = () => ({ ca: certificate.cert });

async function exchange(io, url, transport) {
  const { client, socket } = await pair(io, url, { transport, ...trusting() });
  if (transport === 'upgrade') await upgraded(client);
  assert.equal(socket.handshake.secure, true);
  socket.on('echo', (text, bytes, ack) => ack(text, bytes));
  const text = 'é😀'.repeat(40_000);
  const answer = deferred();
  client.emit('echo', text, Buffer.from(text), (...args) => answer.resolve(args));
  const [gotText, gotBytes] = await within(answer.promise, 'echo');
  assert.ok(gotText === text);
  assert.ok(Buffer.from(text).equals(gotBytes));
  const all = event(client, 'all');
  io.emit('all', 1);
  assert.deepEqual(await all, [1]);
  const gone = event(socket, 'disconnect');
  client.disconnect();
  assert.equal((await gone)[0], 'client namespace disconnect');
}

for (const transport of Object.keys(TRANSPORTS)) {
  test(`${transport} on a Node https server`, async (t) => {
    const httpsServer = createServer(certificate, (incoming, response) => response.end('rest over tls'));
    const { io, url } = await serveAttached(t, {}, httpsServer, 'https');
    await exchange(io, url, transport);
    assert.equal((await request(`${url}/rest`, trusting())).text, 'rest over tls');
  });

  test(`${transport} on the tls option`, nativeOnly, async (t) => {
    const { io, port } = await serve(t, { tls: certificate });
    await exchange(io, `https://127.0.0.1:${port}`, transport);
  });
}

test('plain HTTP to a tls port gets no session, and others go on', nativeOnly, async (t) => {
  const { io, port } = await serve(t, { tls: certificate });
  await assert.rejects(openPolling(`http://127.0.0.1:${port}`));
  await exchange(io, `https://127.0.0.1:${port}`, 'websocket');
});

test('a client that does not trust the certificate does not get in', async (t) => {
  const httpsServer = createServer(certificate, (incoming, response) => response.end());
  const { url } = await serveAttached(t, {}, httpsServer, 'https');
  await assert.rejects(openPolling(url), /self-signed|SELF_SIGNED/i);
});

test('a renewed certificate is taken over without dropping connections', nativeOnly, async (t) => {
  const { io, port } = await serve(t, { tls: certificate });
  const url = `https://127.0.0.1:${port}`;
  const { client, socket } = await pair(io, url, trusting());
  const renewed = makeCertificate();
  io.reloadTls(renewed.cert, renewed.key);
  await assert.rejects(openPolling(url));
  const { client: later } = await pair(io, url, { ca: renewed.cert });
  assert.equal(later.connected, true);
  const alive = event(socket, 'alive');
  client.emit('alive');
  await alive;
  assert.throws(() => io.reloadTls('no cert', 'no key'));
  assert.equal((await pair(io, url, { ca: renewed.cert })).client.connected, true);
});

test('a key that does not fit is refused at start', nativeOnly, async (t) => {
  await assert.rejects(serve(t, { tls: { key: 'no key', cert: certificate.cert } }), { code: 'ERR_KRAKEN_WS_TLS', message: /^tls\.key: expected / });
});
