// docs/migrate.md, walked as it is written: on a backend like Kraken's, with the packed packages and a real Redis.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startRedis } from '../cluster/support/redis.mjs';
import { closeClients, connect } from '../support/clients.mjs';
import { event, record, until, within } from '../support/wait.mjs';
import { apply, steps } from './guide.mjs';
import { cleanUp, pack, run } from './workshop.mjs';

const SECRET_OF = (user) => ({ auth: { token: `Bearer ${user}` } });

describe('moving from socket.io', () => {
  const guide = steps();
  const pods = new Set();
  let redis;
  let endRedis;
  let work;
  let tarballs;
  let old;

  const blocks = (title, language) => guide.get(title).filter((block) => block.language === language).map(({ text }) => text);
  const inBackend = (command, ...args) => run(command, args, { cwd: join(work, 'new'), stdio: 'pipe' });
  const compile = (name) => run(process.execPath, [join(work, name, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: join(work, name), stdio: 'pipe' });

  /** Runs a backend as the guide says; gives its URL. */
  async function pod(name, line = 'node dist/main.js') {
    const [, settings, program] = /^((?:\w+=\S+ )*)node (\S+)$/.exec(line.trim());
    const env = { ...process.env, NODE_TEST_CONTEXT: '', PORT: '0', REDIS_URL: redis.url };
    delete env.KRAKEN_WS_DOOR;
    for (const setting of settings.split(' ').filter(Boolean)) env[setting.split('=')[0]] = setting.split('=')[1];
    const child = spawn(process.execPath, [program], { cwd: join(work, name), env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
    const made = { errors: '', child, ended, url: '' };
    child.stderr.on('data', (data) => (made.errors += data));
    pods.add(made);
    createInterface({ input: child.stdout }).on('line', (text) => (made.url ||= /^listening on (.+)/.exec(text)?.[1] ?? ''));
    await until(() => made.url || child.exitCode !== null, `${name} listens`, 20_000);
    assert.ok(made.url, made.errors);
    return made;
  }

  async function stop(made) {
    pods.delete(made);
    made.child.kill();
    await within(made.ended, 'the end of a pod', 15_000);
    assert.equal(made.errors, '');
  }

  /** One client on a pod that is as before and two on this one: rooms, users, answers and errors over the whole fleet. */
  async function chat(made) {
    const ada = await connect(old.url, SECRET_OF('ada'));
    const bob = await connect(made.url, { ...SECRET_OF('bob'), transport: 'upgrade' });
    const eve = await connect(made.url, SECRET_OF('eve'));
    const seen = record(eve);
    assert.equal(await within(ada.emitWithAck('joinRoom', 'channel:1'), 'join'), 1);
    assert.equal(await within(bob.emitWithAck('joinRoom', 'channel:1'), 'join of the second'), 2);
    const told = [event(ada, 'newMessage'), event(bob, 'newMessage'), event(ada, 'notification')];
    assert.equal(await within(bob.emitWithAck('sendMessage', { channelId: '1', content: 'hi' }), 'send'), true);
    const [toAda, toBob, [{ text, at }]] = await Promise.all(told);
    assert.deepEqual(toAda, [{ channelId: '1', content: 'hi', from: 'bob' }]);
    assert.deepEqual(toBob, toAda);
    assert.deepEqual([text, typeof at], ['hi', 'string']);
    const typing = event(bob, 'userTyping');
    ada.emit('typingStart', '1');
    assert.deepEqual(await typing, [{ userId: 'ada' }]);
    const refused = event(bob, 'error');
    bob.emit('joinRoom', 'user:ada');
    assert.deepEqual(await refused, [{ message: 'not yours', event: 'joinRoom' }]);
    await assert.rejects(connect(made.url, { auth: {} }), /AUTH_FAILED/);
    assert.deepEqual(seen, []);
    closeClients();
  }

  before(async () => {
    redis = await startRedis({ after: (end) => (endRedis = end) });
    tarballs = Object.values(pack());
    work = mkdtempSync(join(tmpdir(), 'kraken-ws-migration-'));
    cpSync(fileURLToPath(new URL('backend', import.meta.url)), join(work, 'old'), { recursive: true });
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: join(work, 'old'), stdio: 'pipe' });
    cpSync(join(work, 'old'), join(work, 'new'), { recursive: true, verbatimSymlinks: true });
    compile('old');
    old = await pod('old');
  });
  after(async () => {
    closeClients();
    for (const { child } of pods) child.kill('SIGKILL');
    await endRedis?.();
    if (work) rmSync(work, { recursive: true, force: true });
    cleanUp();
  });

  const [before0, adapter, bridge, server, without] = [...guide.keys()].filter((title) => title.startsWith('Step'));

  test('before: two pods as they are', async () => {
    const made = await pod('old');
    await chat(made);
    await stop(made);
  });

  test(before0, async () => {
    const [install, remove] = blocks(before0, 'sh');
    assert.equal(install, 'npm install kraken-ws-native\n');
    // Nothing native is loaded in this step: the package alone, without that of the platform.
    const root = tarballs.filter((path) => /kraken-ws-native-\d/.test(path));
    inBackend('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...root);
    for (const diff of blocks(before0, 'diff')) apply(join(work, 'new'), diff);
    const [command, ...files] = remove.trim().split(' ');
    assert.equal(command, 'rm');
    for (const file of files) rmSync(join(work, 'new', file));
    compile('new');
    const made = await pod('new');
    await chat(made);
    await stop(made);
  });

  test(adapter, async () => {
    inBackend('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs);
    for (const diff of blocks(adapter, 'diff')) apply(join(work, 'new'), diff);
    compile('new');
    const made = await pod('new', blocks(adapter, 'sh')[0]);
    await chat(made);
    await stop(made);
  });

  for (const title of [bridge, server]) {
    test(title, async () => {
      const made = await pod('new', blocks(title, 'sh')[0]);
      await chat(made);
      // Back, by the setting alone.
      const back = await pod('new', blocks(adapter, 'sh')[0]);
      await chat(back);
      await stop(back);
      await stop(made);
    });
  }

  test('a door that is none is refused at start', async () => {
    await assert.rejects(pod('new', 'KRAKEN_WS_DOOR=window node dist/main.js'), /KRAKEN_WS_DOOR: expected one of "server", "bridge", "socket.io", got "window"/);
  });

  test(without, async () => {
    for (const diff of blocks(without, 'diff')) apply(join(work, 'new'), diff);
    const [uninstall] = blocks(without, 'sh');
    inBackend(...uninstall.trim().split(' '), '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error');
    compile('new');
    const made = await pod('new');
    await chat(made);
    await stop(made);
    // The other doors say what they would need.
    await assert.rejects(pod('new', blocks(bridge, 'sh')[0]), /npm install socket\.io/);
  });
});
