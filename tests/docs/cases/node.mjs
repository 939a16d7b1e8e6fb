// What the JavaScript blocks of the pages have to do.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { makeCertificate } from '../../support/certificate.mjs';
import { event, record } from '../../support/wait.mjs';
import { launchBrowser } from '../../browser/windows.mjs';
import { startRedis } from '../../cluster/support/redis.mjs';
import { application, client, must, refusal, run, serveBlock, until, within } from '../support/application.mjs';
import { blocks, root } from '../support/markdown.mjs';

const get = async (url) => (await fetch(url)).text();
const block = (page, marker) => blocks(page).find((one) => one.marker === marker);

/** The server and the page of the first minute, by the commands of the README; `execPath` is the Node that runs it. */
export async function firstMinute(t, execPath = process.execPath) {
  const folder = application(t);
  writeFileSync(join(folder, 'index.html'), block('README.md', 'first-minute-page').text);
  return serveBlock(t, block('README.md', 'first-minute-server'), { cwd: folder, name: 'server.mjs', execPath });
}

async function showsMessages(t) {
  const { url } = await firstMinute(t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const [one, two] = await Promise.all([0, 1].map(async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => assert.fail(error));
    await page.goto(url);
    await page.waitForFunction('socket.connected');
    return page;
  }));
  await one.fill('input', 'Hello <b>you</b>');
  await one.click('button');
  for (const page of [one, two]) await page.getByText('Hello <b>you</b>', { exact: true }).waitFor();
}

/** A server in the cluster of a Redis of its own; two of them hear each other. */
const inCluster = (packages, answers) => async (t, own) => {
  const redis = await startRedis(t);
  const edit = (text) => `${text.replaceAll('redis://127.0.0.1:6379', redis.url)}
io.on('connection', (socket) => {
  socket.join('lobby');
  socket.on('say', (text) => io.to('lobby').emit('said', text));
  socket.on('nodes', async (ack) => ack(await io.of('/').adapter.serverCount()));
});`;
  const nodes = await Promise.all([0, 1].map(() => serveBlock(t, own, { packages, edit })));
  const clients = await Promise.all(nodes.map(({ url }) => client(t, url)));
  await until(async () => (await within(clients[0].emitWithAck('nodes'), 'count')) === 2, 'two nodes', 15_000);
  const heard = clients.map((one) => event(one, 'said'));
  clients[0].emit('say', 'hello');
  for (const args of await Promise.all(heard)) assert.deepEqual(args, ['hello']);
  await answers?.(nodes, clients);
};

const greets = async (t, own, options) => {
  const served = await serveBlock(t, own, options);
  const one = await client(t, served.url, { transport: 'websocket' });
  return { ...served, one };
};

export default {
  'first-minute-server': async (t) => {
    const { url, out } = await firstMinute(t);
    const [one, two] = [await client(t, url), await client(t, url, { transport: 'polling' })];
    const heard = [one, two].map((each) => event(each, 'chat'));
    one.emit('chat', 'hi');
    for (const args of await Promise.all(heard)) assert.deepEqual(args, ['hi']);
    assert.match(out(), /^http:\/\/localhost:\d+\n$/);
  },
  'first-minute-page': showsMessages,

  port: async (t, own) => {
    const { url, out } = await serveBlock(t, own);
    const one = await client(t, url);
    assert.deepEqual(await within(one.emitWithAck('joinRoom', 'channel:42'), 'join'), { room: 'channel:42' });
    const got = event(one, 'newMessage');
    one.emit('sendMessage', { channelId: 42, content: 'hi' });
    const [{ from, content, sentAt }] = await got;
    assert.deepEqual([from, content, typeof sentAt], [one.id, 'hi', 'number']);
    const { id } = one;
    one.disconnect();
    await until(() => out().includes(`${id} client namespace disconnect`), 'the reason');
    assert.match(out(), /address: '/);
  },
  beside: async (t, own) => {
    const { url } = await serveBlock(t, own);
    assert.equal(await get(url), 'your REST API');
    for (const transport of ['websocket', 'upgrade']) {
      const one = await client(t, url, { transport, autoConnect: true });
      assert.ok(one.id);
    }
  },
  express: async (t, own) => {
    const { url } = await serveBlock(t, own, { packages: ['express'] });
    assert.equal(await get(`${url}/health`), 'ok');
    await client(t, url);
  },
  // The calls are made when a client is there, and it hears of them.
  calls: async (t, own) => {
    const { url } = await serveBlock(t, own, {
      edit: (text) => {
        const [before, after] = text.split('setServer(new Server(3000));');
        assert.ok(after);
        return `${before}const io = new Server(3000); setServer(io);
io.on('connection', (socket) => { socket.join(['user:ada', 'channel:42']); socket.on('go', (ack) => {
${after}
  ack([...socket.rooms]);
}); });`;
      },
    });
    const one = await client(t, url);
    const heard = record(one);
    const rooms = await within(one.emitWithAck('go'), 'the calls');
    assert.deepEqual(rooms.sort(), [one.id, 'community:7', 'user:ada'].sort());
    await until(() => heard.length === 2, 'both messages');
    assert.deepEqual(heard, [['newMessage', { from: 'ada', content: 'hello' }], ['userOnline', { userId: 'ada' }]]);
  },
  module: async (t, own) => {
    const folder = application(t);
    await must('cc', ['-shared', '-fPIC', '-I', join(root, 'include'), join(root, 'ffi/examples/profanity_module.c'), '-o', join(folder, 'profanity.so')]);
    const { url } = await serveBlock(t, own, {
      cwd: folder, edit: (text) => `${text}io.on('connection', (socket) => socket.on('sendMessage', (message, ack) => ack(message, io.stats().modules[0].replaced)));`,
    });
    const one = await client(t, url);
    const answer = await within(new Promise((resolve) => one.emit('sendMessage', 'darn it', (...args) => resolve(args))), 'answer');
    assert.deepEqual(answer, ['**** it', 1]);
  },
  bridge: async (t, own) => {
    const { url } = await serveBlock(t, own, {
      packages: ['socket.io'],
      edit: (text) => `${text}io.on('connection', (socket) => socket.on('who', (ack) => ack(io instanceof Server, io.engine.stats().connections)));`,
    });
    for (const transport of ['websocket', 'polling']) {
      const one = await client(t, url, { transport });
      const answer = await within(new Promise((resolve) => one.emit('who', (...args) => resolve(args))), 'answer');
      assert.deepEqual(answer, [true, transport === 'websocket' ? 1 : 2]);
    }
  },
  'wrong-option': async (t, own) => {
    const { out } = await run(process.execPath, ['-e', "try { new (require('kraken-ws-native').Server)(0, { pingTimeout: 'fast' }) } catch (e) { console.log(e.message) }"], { cwd: application(t) });
    assert.equal(out, own.text);
  },
  tls: async (t, own) => {
    const folder = application(t);
    const write = () => {
      const { cert, key } = makeCertificate();
      writeFileSync(join(folder, 'cert.pem'), cert);
      writeFileSync(join(folder, 'key.pem'), key);
      return cert;
    };
    const old = write();
    const served = await serveBlock(t, own, { cwd: folder, edit: (text) => text.replace('3443', '3000') });
    const url = served.url.replace('http', 'https');
    const one = await client(t, url, { ca: old });
    const now = write();
    served.child.kill('SIGHUP');
    await until(async () => client(t, url, { ca: now }).then(() => true, () => false), 'the new certificate');
    assert.ok(one.connected, 'connections stay');
  },
  'unix-socket': async (t, own) => {
    const folder = application(t);
    const path = join(folder, 'chat.sock');
    const { url } = await serveBlock(t, own, { cwd: folder, edit: (text) => text.replace('/tmp/chat.sock', path) });
    await client(t, url);
    const [answer] = await once(request({ socketPath: path, path: '/socket.io/?EIO=4&transport=polling' }).end(), 'response');
    assert.equal(answer.statusCode, 200);
    answer.resume();
  },
  'security-token': async (t, own) => {
    const { url } = await serveBlock(t, own);
    await client(t, url, { auth: { token: 'of ada' } });
    assert.equal((await refusal(t, url, { auth: { token: 'none' } })).message, 'AUTH_FAILED');
  },
  'security-origin': async (t, own) => {
    const { url } = await serveBlock(t, own);
    await client(t, url, { extraHeaders: { origin: 'https://app.example' } });
    await refusal(t, url, { extraHeaders: { origin: 'https://evil.example' } });
    await refusal(t, url);
  },
  shards: async (t, own) => {
    const { child, one } = await greets(t, own);
    assert.ok(one.connected);
    const threads = await must('ps', ['-L', '-o', 'comm=', '-p', String(child.pid)]);
    assert.equal(threads.split('\n').filter((name) => /shard/.test(name)).length, 4, threads);
  },
  workers: async (t, own) => {
    const redis = await startRedis(t);
    const { url } = await serveBlock(t, own, {
      edit: (text) => `${text.replaceAll('redis://127.0.0.1:6379', redis.url)
        .replace("socket.join('lobby');", "socket.join('lobby'); socket.on('pid', (ack) => ack(process.pid));")
        .replace('} else {', "  process.on('SIGTERM', () => process.exit());\n} else {\n  process.on('disconnect', () => process.exit());")}`,
    });
    const members = new Map();
    // The kernel spreads connections by their ports.
    for (let tries = 0; members.size < 2 && tries < 60; tries++) {
      const one = await client(t, url, { transport: 'websocket' });
      members.set(await within(one.emitWithAck('pid'), 'pid'), one);
    }
    assert.equal(members.size, 2, 'both workers serve');
    const [one, two] = members.values();
    await until(async () => {
      const heard = event(two, 'said', 1000).catch(() => undefined);
      one.emit('say', 'hello');
      return (await heard)?.[0] === 'hello';
    }, 'a message from worker to worker', 15_000);
  },
  'cluster-option': inCluster([]),
  'cluster-adapter': inCluster([]),
  'cluster-adapter-theirs': inCluster(['@socket.io/redis-adapter', 'ioredis']),
  'package-quick-start': async (t, own) => {
    const { url } = await serveBlock(t, own);
    assert.equal((await refusal(t, url)).message, 'AUTH_FAILED');
    const [one, two] = [await client(t, url, { auth: { token: 'x' } }), await client(t, url, { auth: { token: 'y' } })];
    const got = event(two, 'newMessage');
    assert.deepEqual(await within(one.emitWithAck('sendMessage', { text: 'hi' }), 'ack'), { ok: true });
    assert.deepEqual(await got, [{ text: 'hi' }]);
    assert.deepEqual(await event(one, 'notification'), [{ text: 'hello' }]);
  },
  'package-beside': async (t, own) => {
    const { url } = await serveBlock(t, own);
    assert.equal(await get(url), 'your REST API');
    await client(t, url);
  },
  'alias-files': async (t, own) => {
    const folder = application(t);
    const files = own.text.trim().split('\n').map((line) => /^(\S+) +(.+)$/.exec(line).slice(1));
    await must('mkdir', ['-p', 'vendor/socket.io'], { cwd: folder });
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    await must('ln', ['-s', '../vendor/socket.io', 'node_modules/socket.io'], { cwd: folder });
    const program = "const { Server } = require('socket.io'); const io = new Server(0); console.log(require('socket.io/package.json').version, typeof io.stats); io.close();";
    assert.equal(await must(process.execPath, ['-e', program], { cwd: folder }), '4.8.4 function\n');
  },
  // With the sticky nginx of the page: tests/docs/proxies.test.mjs. Here: what the two programs say is so.
  'cross-origin-server': async (t, own) => {
    const { url } = await serveBlock(t, own);
    const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { origin: 'https://app.example' } });
    const { headers } = answer;
    assert.deepEqual([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')], ['https://app.example', 'true']);
  },
  'cross-origin-client': async (t, own) => {
    const { url } = await serveBlock(t, block('docs/scale.md', 'cross-origin-server'));
    const folder = application(t, ['socket.io-client'], { type: 'module' });
    const text = `${own.text.replace('https://ws.example', url)}
socket.on('connect', () => { console.log(socket.io.opts.withCredentials); socket.disconnect(); });`;
    writeFileSync(join(folder, 'client.mjs'), text);
    assert.equal(await must(process.execPath, ['client.mjs'], { cwd: folder }), 'true\n');
  },
};
