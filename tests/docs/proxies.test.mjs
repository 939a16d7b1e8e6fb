// The configurations of docs/scale.md in a real nginx and HAProxy, in front of two servers, with clients of another
// origin.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../browser/windows.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { closeClients, open } from '../support/clients.mjs';
import { freePort, startServer } from '../support/server.mjs';
import { within } from '../support/wait.mjs';
import { must, serve } from './support/application.mjs';
import { blocks, pageText } from './support/markdown.mjs';

const CLIENTS = 20;
const page = blocks('docs/scale.md');
const configuration = (marker) => page.find((block) => block.marker === marker).text;

describe('behind a proxy', () => {
  let folder;
  let nodes;
  const pem = makeCertificate();
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kraken-proxy-'));
    writeFileSync(join(folder, 'cert.pem'), pem.cert);
    writeFileSync(join(folder, 'key.pem'), pem.key);
    nodes = await Promise.all(['n1', 'n2'].map(async (name) => {
      const server = await startServer({ cors: { origin: /^https?:\/\//, credentials: true } });
      server.io.on('connection', (socket) => socket.on('where', (ack) => ack({ name, headers: socket.handshake.headers, secure: socket.handshake.secure })));
      return server;
    }));
  });
  after(async () => {
    closeClients();
    for (const { close } of nodes) await close();
    rmSync(folder, { recursive: true });
  });

  const addresses = (text) => nodes.reduce((all, { port }, at) => all.replaceAll(`10.0.0.${at + 1}:3000`, `127.0.0.1:${port}`), text);

  /** nginx with a configuration of the page; checked by `nginx -t` first. */
  async function nginx(t, marker, edit = (text) => text) {
    const port = await freePort();
    const text = edit(addresses(configuration(marker))).replace(/listen (80|443)\b/, `listen 127.0.0.1:${port}`);
    const file = join(folder, `${marker}.conf`);
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${folder}/${name};`);
    writeFileSync(file, `daemon off;
master_process off;
pid ${folder}/${marker}.pid;
error_log stderr warn;
events {}
http {
  access_log off;
${places.join('\n')}
${text.replace(/(cert|key)\.pem/g, `${folder}/$1.pem`)}
}
`);
    await must('nginx', ['-t', '-c', file, '-e', 'stderr']);
    return serve(t, 'nginx', ['-c', file, '-e', 'stderr'], { port });
  }

  /** How many of twenty clients stay connected for ten events and an answer, and at which nodes. */
  async function crowd(url, options) {
    const outcomes = await Promise.all(Array.from({ length: CLIENTS }, async () => {
      const client = open(url, { transport: 'polling', ...options });
      try {
        await within(new Promise((resolve, reject) => {
          client.once('connect', resolve);
          client.once('connect_error', reject);
          client.once('disconnect', reject);
        }), 'connect');
        let answer;
        for (let asked = 0; asked < 10; asked++) answer = await client.timeout(3000).emitWithAck('where');
        return answer;
      } catch {
        return undefined;
      } finally {
        client.disconnect();
      }
    }));
    const served = outcomes.filter(Boolean);
    return { served, names: new Set(served.map(({ name }) => name)) };
  }

  for (const marker of ['nginx-same-origin', 'haproxy']) {
    test(`${marker}: clients that send cookies stay at their node, others do not`, async (t) => {
      const { url } = marker === 'haproxy' ? await haproxy(t, marker) : await nginx(t, marker);
      const sticky = await crowd(url, { withCredentials: true });
      assert.equal(sticky.served.length, CLIENTS);
      assert.equal(sticky.names.size, 2, 'both nodes serve');
      const lost = await crowd(url, {});
      console.log(`${marker}: without withCredentials ${CLIENTS - lost.served.length} of ${CLIENTS} clients failed`);
      assert.ok(lost.served.length < CLIENTS / 2);
    });
  }

  test('nginx-websocket: no cookie is needed', async (t) => {
    const { url } = await nginx(t, 'nginx-websocket');
    const { served, names } = await crowd(url, { transport: 'websocket', extraHeaders: { 'x-test': '1' } });
    assert.equal(served.length, CLIENTS);
    assert.equal(names.size, 2);
    const [{ headers, secure }] = served;
    assert.deepEqual([headers.host, headers['x-forwarded-proto'], headers['x-forwarded-for'], secure], ['127.0.0.1', 'http', '127.0.0.1', false]);
  });

  test('nginx-cross-origin: Node clients over TLS', async (t) => {
    const { port } = await nginx(t, 'nginx-cross-origin');
    const { served, names } = await crowd(`https://127.0.0.1:${port}`, { withCredentials: true, ca: pem.cert });
    assert.equal(served.length, CLIENTS);
    assert.equal(names.size, 2);
    assert.deepEqual([served[0].headers['x-forwarded-proto'], served[0].secure], ['https', false]);
  });

  // A page of one site, the servers at another: what a browser does with the cookie.
  test('nginx-cross-origin: a browser', async (t) => {
    const right = await nginx(t, 'nginx-cross-origin');
    const files = createServer();
    const bundle = await (await fetch(`${nodes[0].url}/socket.io/socket.io.js`)).text();
    files.on('request', (req, res) => {
      if (req.url === '/client.js') res.setHeader('content-type', 'text/javascript').end(bundle);
      else res.setHeader('content-type', 'text/html').end('<!doctype html><script src="/client.js"></script>');
    });
    await new Promise((resolve) => files.listen(0, '127.0.0.1', resolve));
    const browser = await launchBrowser();
    t.after(async () => {
      await browser.close();
      files.closeAllConnections();
      files.close();
    });
    /** Of four visitors, each with a profile of their own, how many are served. */
    const visit = async (port, options) => {
      const outcomes = await Promise.all(Array.from({ length: 4 }, async () => {
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        const window = await context.newPage();
        // "localhost" and "127.0.0.1" are two sites.
        await window.goto(`http://localhost:${files.address().port}/`);
        return window.evaluate(async ({ url, options: given }) => {
          const socket = globalThis.io(url, { transports: ['polling'], reconnection: false, ...given });
          const over = new Promise((resolve) => {
            socket.once('connect_error', () => resolve(false));
            socket.once('disconnect', () => resolve(false));
            setTimeout(() => resolve(false), 8000);
          });
          const answered = new Promise((resolve) => socket.once('connect', async () => {
            for (let asked = 0; asked < 5; asked++) await socket.emitWithAck('where');
            resolve(true);
          }));
          return Promise.race([over, answered]);
        }, { url: `https://127.0.0.1:${port}`, options }).finally(() => context.close());
      }));
      return outcomes.filter(Boolean).length;
    };
    assert.equal(await visit(right.port, { withCredentials: true }), 4);
    assert.ok(await visit(right.port, {}) < 4, 'without withCredentials');
    const lax = await nginx(t, 'nginx-cross-origin', (text) => text.replace('; SameSite=None; Secure; Partitioned', ''));
    assert.ok(await visit(lax.port, { withCredentials: true }) < 4, 'without SameSite=None; Secure; Partitioned');
  });

  test('haproxy: the cookie line for other origins', async (t) => {
    const [, line] = /`(cookie KRAKEN_NODE [^`]+)`/.exec(pageText('docs/scale.md'));
    const { url } = await haproxy(t, 'haproxy', (text) => text.replace(/cookie KRAKEN_NODE .*/, line));
    const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    assert.match(answer.headers.get('set-cookie'), /^KRAKEN_NODE=n[12]; path=\/; HttpOnly; Secure; SameSite=None; Partitioned$/);
  });

  async function haproxy(t, marker, edit = (text) => text) {
    const port = await freePort();
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, `defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

${edit(addresses(configuration(marker))).replace('bind :80', `bind 127.0.0.1:${port}`)}`);
    await must('haproxy', ['-c', '-f', file]);
    return serve(t, 'haproxy', ['-db', '-f', file], { port });
  }

  test('every configuration of the page is here', () => {
    const markers = page.filter(({ language }) => ['nginx', 'haproxy'].includes(language)).map(({ marker }) => marker);
    assert.deepEqual(markers.sort(), ['haproxy', 'nginx-cross-origin', 'nginx-same-origin', 'nginx-websocket']);
  });
});
