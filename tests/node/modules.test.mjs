// Modules in C, the same that a C host loads: they see clients and events before JavaScript does.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { closeClients, connect, connected, open, pair } from '../support/clients.mjs';
import { run } from '../support/child.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { Server, nativeOnly, nativePath } from '../support/subject.mjs';
import { event, until, within } from '../support/wait.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MS = 5000;
const refusal = (client) => connected(client).then(() => assert.fail('let in'), (error) => error);
const ask = (client, ...args) => client.timeout(MS).emitWithAck(...args);

describe('modules', nativeOnly, () => {
  let folder;
  const built = (name) => join(folder, `${name}.so`);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kraken-modules-'));
    const sources = { profanity: 'ffi/examples/profanity_module.c', guest: 'tests/c/hosts/guest_module.c' };
    for (const [name, source] of Object.entries(sources)) {
      execFileSync('cc', ['-std=c11', '-D_GNU_SOURCE', '-O1', '-shared', '-fPIC', `-I${join(ROOT, 'include')}`, join(ROOT, source), '-o', built(name), '-lpthread']);
    }
    execFileSync('cc', ['-shared', '-fPIC', '-x', 'c', '-', '-o', built('empty')], { input: 'int nothing;\n' });
  });
  after(() => rmSync(folder, { recursive: true }));

  test('the example of the C hosts, unchanged: stars out words and keeps clients out', async (t) => {
    const { io, url } = await serve(t);
    const seen = [];
    io.use((socket, next) => { seen.push(socket.handshake.auth.name); next(); });
    io.on('connection', (socket) => {
      socket.on('sendMessage', (message, ack) => { ack(message); });
      socket.on('other', (text, ack) => { ack(text); });
    });
    assert.equal(io.loadModule(built('profanity'), ['darn', 'heck']), 'profanity');
    const client = await connect(url, { auth: { name: 'Ada' } });
    assert.deepEqual(await ask(client, 'sendMessage', { content: 'Darn it, what the HECK ß', bytes: Buffer.from('darn') }), {
      content: '**** it, what the **** ß', bytes: Buffer.from('darn'),
    });
    assert.equal(await ask(client, 'other', 'darn'), 'darn', 'not its event');
    const refused = await refusal(open(url, { auth: { name: 'Heckler' } }));
    assert.deepEqual([refused.message, refused.data], ['AUTH_FAILED', { message: 'name: mind your language' }]);
    assert.deepEqual(seen, ['Ada'], 'JavaScript has not heard of the other one');
    assert.equal(io.sockets.sockets.size, 1);
    const [figures] = io.stats().modules;
    assert.deepEqual(figures, { name: 'profanity', path: built('profanity'), calls: 4, dropped: 0, replaced: 1, rejected: 1 });
    io.unloadModule('profanity');
    assert.deepEqual(io.stats().modules, []);
    assert.deepEqual(await ask(client, 'sendMessage', { content: 'darn' }), { content: 'darn' });
    await connect(url, { auth: { name: 'Heckler' } });
  });

  test('knows clients that were there before it, in every namespace, also in later ones', async (t) => {
    const { io, url } = await serve(t);
    io.of('/other').on('connection', () => {});
    io.of(/^\/dynamic-\d+$/).on('connection', () => {});
    const early = [await connect(url), await connect(`${url}/other`), await connect(`${url}/dynamic-1`)];
    io.loadModule(built('guest'));
    io.of('/late').on('connection', () => {});
    const late = [await connect(url), await connect(`${url}/late`), await connect(`${url}/dynamic-2`)];
    for (const client of [...early, ...late]) {
      const told = event(client, 'told', MS);
      client.emit('tell', { to: client.nsp });
      assert.deepEqual(await told, [{ to: client.nsp }], client.nsp);
      assert.deepEqual(await ask(client, 'who'), [client.id, client.nsp]);
    }
    const gone = event(early[0], 'gone', MS);
    const { id } = late[0];
    late[0].disconnect();
    assert.deepEqual(await gone, [[id, 'client namespace disconnect']]);
  });

  test('lets in, turns away and answers in the place of JavaScript', async (t) => {
    const { io, url } = await serveAttached(t);
    let asked = 0;
    io.use((socket, next) => { asked += 1; next(new Error('JavaScript says no')); });
    const heard = [];
    io.on('connection', (socket) => socket.onAny((...args) => heard.push(args)));
    io.loadModule(built('guest'));
    assert.equal((await refusal(open(url, { auth: { name: 'anybody' } }))).message, 'JavaScript says no');
    assert.equal((await refusal(open(url, { auth: { name: 'unwanted' } }))).message, 'Unauthorized');
    assert.equal(asked, 1);
    const { client, socket } = await pair(io, url, { auth: { name: 'welcome' } });
    assert.equal(asked, 1);
    assert.equal(socket.connected && io.sockets.sockets.has(client.id), true);
    assert.equal(await ask(client, 'answered', 1), 'by the module');
    assert.equal(await ask(client, 'later'), 'later', 'from a thread of the module');
    const told = event(client, 'told', MS);
    client.emit('tell', 'x');
    await told;
    const toRoom = event(client, 'room', MS);
    io.to('told').emit('room', 1);
    assert.deepEqual(await toRoom, [1]);
    const back = event(client, 'reply', MS);
    socket.on('last', () => socket.emit('reply'));
    client.emit('last', Buffer.from([1]), { bytes: Buffer.from([2, 3]) });
    await back;
    assert.deepEqual(heard, [['answered', 1], ['last', Buffer.from([1]), { bytes: Buffer.from([2, 3]) }]]);
    assert.deepEqual(io.stats().modules.map(({ dropped, rejected }) => [dropped, rejected]), [[2, 1]]);
  });

  test('sees the sockets of a namespace that JavaScript does not look at', async (t) => {
    const { io, url } = await serve(t);
    io.loadModule(built('guest'));
    const client = await connect(url);
    assert.deepEqual(await ask(client, 'who'), [client.id, '/']);
    assert.equal((await refusal(open(url, { auth: { name: 'unwanted' } }))).message, 'Unauthorized');
    await until(() => io.stats().sockets === 1, 'one socket');
    assert.equal(io.sockets.sockets.size, 1);
  });

  test('can not end or take over the server, nor unload itself in the middle of a call', async (t) => {
    const { io, url } = await serve(t);
    io.on('connection', (socket) => socket.on('echo', (value, ack) => ack(value)));
    io.loadModule(built('guest'));
    const client = await connect(url);
    const mine = await ask(client, 'mine');
    assert.deepEqual(mine.slice(0, 5), [16, 16, 16, 16, 16]);
    assert.match(mine[5], /^module guest: create_namespace: the server is the host's that loads the modules/);
    assert.deepEqual(await ask(client, 'unload'), [19, 'module guest: module guest: a call of it is under way']);
    assert.equal(await ask(client, 'echo', 7), 7, 'and the server serves');
    assert.equal(io.stats().modules.length, 1);
  });

  test('two modules: the second sees what the first left', async (t) => {
    const { io, url } = await serve(t);
    io.on('connection', (socket) => socket.on('sendMessage', (value, ack) => ack(value)));
    io.loadModule(built('guest'));
    io.loadModule(built('profanity'), ['darn']);
    const client = await connect(url);
    assert.equal(await ask(client, 'sendMessage', 'darn'), '****');
    assert.deepEqual(await ask(client, 'who'), [client.id, '/']);
    assert.deepEqual(io.stats().modules.map(({ name, calls }) => [name, calls]), [['guest', 3], ['profanity', 2]]);
    io.unloadModule('guest');
    assert.equal(await ask(client, 'sendMessage', 'darn'), '****');
  });

  test('errors name the module and have a code', async (t) => {
    const { io } = await serve(t);
    const code = (name) => ({ code: `ERR_KRAKEN_WS_${name}` });
    const refused = (act, name, message) => assert.throws(act, { ...code(name), message });
    refused(() => io.loadModule('/no/such/module.so'), 'MODULE', /^module \/no\/such\/module\.so: /);
    refused(() => io.loadModule(built('empty')), 'MODULE', /empty\.so: it does not export kraken_ws_module_on_load$/);
    refused(() => io.loadModule(built('profanity')), 'MODULE', /profanity\.so: kraken_ws_module_on_load returned 10$/);
    refused(() => io.unloadModule('profanity'), 'MODULE', 'module profanity: it is not loaded');
    io.loadModule(built('profanity'), ['darn']);
    refused(() => io.loadModule(built('profanity'), ['darn']), 'MODULE', /a module called "profanity" is loaded already$/);
    refused(() => io.loadModule(built('profanity'), ['da\0rn']), 'ARGUMENT', /NUL/);
    for (const path of [undefined, '', 5, {}]) refused(() => io.loadModule(path), 'ARGUMENT', /^loadModule: expected the path of a shared object/);
    for (const args of [null, 'darn', [1], [undefined]]) refused(() => io.loadModule(built('guest'), args), 'ARGUMENT', /^loadModule: expected a list of texts/);
    refused(() => new Server().loadModule(built('guest')), 'STATE', /^loadModule: the server is not running/);
    await new Promise((resolve) => { io.close(resolve); });
    refused(() => io.loadModule(built('guest')), 'STATE', /^loadModule: the server is not running/);
    refused(() => io.unloadModule('profanity'), 'STATE', /^unloadModule: the server is not running/);
    assert.deepEqual(io.stats().modules, []);
  });

  test('is unloaded when its server closes, and the process ends', async () => {
    const file = join(folder, 'farewell');
    const program = `
      const { Server } = require(process.env.SUBJECT_PATH);
      const io = new Server(0, { host: '127.0.0.1' });
      io.loadModule(${JSON.stringify(built('guest'))}, [${JSON.stringify(file)}]);
      io.close(() => console.log(require('fs').existsSync(${JSON.stringify(file)})));
    `;
    const { code, stdout, stderr } = await run(program);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'true\n', stderr: '' });
    assert.ok(existsSync(file));
  });

  test('works in a worker that ends without closing its server', async (t) => {
    const program = `
      const { Server } = require(${JSON.stringify(nativePath)});
      const { parentPort } = require('worker_threads');
      const io = new Server(0, { host: '127.0.0.1' });
      io.loadModule(${JSON.stringify(built('profanity'))}, ['darn']);
      io.on('connection', (socket) => socket.on('sendMessage', (value, ack) => ack(value)));
      parentPort.postMessage(io.httpServer.address().port);
    `;
    for (let round = 0; round < 2; round += 1) {
      const worker = new Worker(program, { eval: true });
      t.after(() => worker.terminate());
      const [port] = await event(worker, 'message');
      const client = await connect(`http://127.0.0.1:${port}`);
      assert.equal(await ask(client, 'sendMessage', 'darn'), '****');
      closeClients();
      assert.equal(await within(worker.terminate(), 'the end of the worker'), 1);
    }
  });
});
