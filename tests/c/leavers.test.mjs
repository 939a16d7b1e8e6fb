// Clients that leave in the middle of what they are sent, and a Redis that dies: SIGPIPE is never raised, the host has left
// it at its default.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../cluster/support/at-end.mjs';
import { startRedis } from '../cluster/support/redis.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { connect } from '../support/clients.mjs';
import { until } from '../support/wait.mjs';
import { OP, frame } from '../wire/support/frames.mjs';
import { requestText } from '../wire/support/http.mjs';
import { WS_TARGET, handshakeHeaders } from '../wire/support/websocket.mjs';
import { LIMIT_MS, host } from './support/program.mjs';

const PUBLIC = fileURLToPath(new URL('../../node-binding/examples/chat/public', import.meta.url));
const BUNDLE = fileURLToPath(new URL('../node_modules/socket.io-client/dist/socket.io.js', import.meta.url));
const AT_ONCE = 24;
const LEAVERS = 1500;

// One that joins, reads a little, and goes, every third at once. The others send a FIN and then, as there is something that
// they have not read, a RST: a write after that is the one that raises SIGPIPE.
function comeAndGo(open, n, { join = ['40'], stay = 4 } = {}) {
  return new Promise((resolve) => {
    const socket = open();
    let got = 0;
    socket.on('error', resolve);
    socket.on('close', resolve);
    socket.on('data', () => {
      got += 1;
      if (got === 1) for (const packet of join) socket.write(frame(OP.TEXT, packet));
      if (got !== stay) return;
      if (n % 3 === 0) return void socket.destroy();
      socket.pause();
      socket.end(() => socket.destroy());
    });
    socket.write(requestText('GET', WS_TARGET, handshakeHeaders()));
    setTimeout(() => socket.destroy(), LIMIT_MS).unref();
  });
}

async function leave(open, { leavers = LEAVERS, atOnce = AT_ONCE, ...how } = {}) {
  let n = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (n < leavers) await comeAndGo(open, n++, how);
  }));
}

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'kraken-leavers-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const publisher = (t, kind, path = '', options = {}) =>
  host(t, 'publishing_host', [kind, path, JSON.stringify(options)], { stop: 'stdin' });

for (const kind of ['tcp', 'adopt-tcp']) {
  test(`${kind}: clients that leave raise no signal`, async (t) => {
    const { url, end } = await publisher(t, kind);
    await leave(() => net.connect(new URL(url).port, '127.0.0.1'));
    assert.deepEqual(await end(), { code: 0, signal: null, stdout: `port ${new URL(url).port}\n`, stderr: '' });
  });
}

for (const kind of ['unix', 'adopt-unix']) {
  test(`${kind}: clients that leave raise no signal`, async (t) => {
    const path = join(folder(t), 's');
    const { end } = await publisher(t, kind, path);
    await leave(() => net.connect(path));
    assert.deepEqual(await end(), { code: 0, signal: null, stdout: 'port 0\n', stderr: '' });
  });
}

// A relay whose far side leaves as those above: TLS would say goodbye before.
async function relay(t, to) {
  const server = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    near.pipe(far);
    far.pipe(near);
    const leave = (...ended) => ended.forEach((side) => side.unpipe().pause().end(() => side.destroy()));
    near.on('error', () => {}).on('close', () => leave(far));
    far.on('error', () => {}).on('close', () => leave(near));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server.address().port;
}

test('tls: clients that leave raise no signal', async (t) => {
  const { url, end } = await publisher(t, 'tcp', '', { tls: makeCertificate() });
  const port = await relay(t, new URL(url).port);
  await leave(() => tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }), { leavers: 800 });
  assert.equal((await end()).signal, null);
});

test('a Redis that dies again and again raises no signal', async (t) => {
  // Who writes to a Unix socket that is closed gets the signal at once; by TCP it takes a moment that a test can't choose.
  const unixsocket = join(folder(t), 'redis');
  const redis = await startRedis(t, { settings: { unixsocket } });
  const options = { cluster: { redis: `redis+unix://${unixsocket}`, waitForRedis: true } };
  const { end } = await publisher({ after: (fn) => atEnd(t, fn) }, 'tcp', '', options);
  for (let n = 0; n < 5; n += 1) {
    await until(async () => (await redis.command('CLIENT', 'LIST')).includes('kraken-ws-publish'), 'the host in the fleet', LIMIT_MS);
    await redis.kill();
    await redis.start();
  }
  assert.equal((await end()).signal, null);
});

test('the chat of the examples lives on while 40 clients come and go', async (t) => {
  const { url, end } = await host(t, 'chat_host', ['0', PUBLIC, BUNDLE]);
  const speakers = await Promise.all(Array.from({ length: 8 }, (_, n) => connect(url, { auth: { name: `s${n}` } })));
  const content = 'x'.repeat(1000);
  const talk = setInterval(() => {
    for (const speaker of speakers) for (let n = 0; n < 5; n += 1) speaker.emit('sendMessage', { channelId: 'general', content });
  }, 3);
  await Promise.all(speakers.map((speaker) => speaker.timeout(LIMIT_MS).emitWithAck('joinAll')));
  const join_ = ['40{"name":"v"}', '421["joinAll"]'];
  await leave(() => net.connect(new URL(url).port, '127.0.0.1'), { atOnce: 40, join: join_, stay: 8 });
  clearInterval(talk);
  assert.deepEqual(await speakers[0].timeout(LIMIT_MS).emitWithAck('joinRoom', 'channel:general').then(({ ok }) => ok), true);
  assert.equal((await end()).signal, null);
});
