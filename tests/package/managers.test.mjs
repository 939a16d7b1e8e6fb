// The packages as strangers get them: from a registry, with the package manager that they happen to use, in a folder that
// is not in this repository.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startRegistry } from './registry.mjs';
import { cleanUp, pack, triple, version } from './workshop.mjs';

const bin = (path) => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));
const COMPILERS = [bin('typescript/bin/tsc'), bin('typescript7/bin/tsc')];
const CONSUMERS = fileURLToPath(new URL('consumers/anywhere/', import.meta.url));
/** What the two programs print. */
const SERVED = ['true,bytes,websocket,200', 'true,true,function'];

describe('installed from a registry', () => {
  let registry;
  before(async () => { registry = await startRegistry(Object.values(pack())); });
  after(async () => {
    await registry?.stop();
    cleanUp();
  });

  /** An application, and what runs a program of it with this registry for every manager. */
  const application = (name, more = {}) => {
    const folder = join(registry.work, name);
    mkdirSync(folder);
    cpSync(CONSUMERS, folder, { recursive: true });
    const dependencies = { 'kraken-ws-native': version, 'socket.io-client': '4.8.4', ...more };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, dependencies }));
    const env = {
      ...process.env, HOME: registry.work, npm_config_registry: registry.url, npm_config_cache: registry.cache,
      YARN_REGISTRY: registry.url, YARN_CACHE_FOLDER: join(registry.work, `cache-${name}`),
      YARN_NPM_REGISTRY_SERVER: registry.url, YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1', YARN_ENABLE_TELEMETRY: '0',
      YARN_GLOBAL_FOLDER: join(registry.work, 'berry'), YARN_ENABLE_IMMUTABLE_INSTALLS: '0', YARN_PNP_ENABLE_ESM_LOADER: '1',
      // The packages were published a moment ago.
      YARN_NPM_MINIMAL_AGE_GATE: '0', CI: '',
    };
    const run = (command, ...args) => {
      try {
        return execFileSync(command, args, { cwd: folder, env, encoding: 'utf8', timeout: 180_000, stdio: 'pipe' }).trim();
      } catch (err) {
        throw new Error(`${command} ${args.join(' ')}: ${err.message}\n${err.stdout}\n${err.stderr}`, { cause: err });
      }
    };
    return { folder, run };
  };

  test('npm', () => {
    const { folder, run } = application('with-npm');
    run('npm', 'install', '--no-audit', '--no-fund');
    const ours = readdirSync(join(folder, 'node_modules')).filter((name) => name.startsWith('kraken')).sort();
    assert.deepEqual(ours, ['kraken-ws-native', `kraken-ws-native-${triple()}`]);
    assert.deepEqual(['serve.cjs', 'serve.mjs'].map((file) => run('node', file)), SERVED);
    for (const compiler of COMPILERS) assert.equal(run('node', compiler, '-p', '.'), '', compiler);
  });

  test('pnpm', () => {
    const { run } = application('with-pnpm');
    run('node', bin('pnpm/bin/pnpm.cjs'), 'install', '--store-dir', join(registry.work, 'store'));
    assert.deepEqual(['serve.cjs', 'serve.mjs'].map((file) => run('node', file)), SERVED);
    for (const compiler of COMPILERS) assert.equal(run('node', compiler, '-p', '.'), '', compiler);
  });

  test("yarn, Plug'n'Play", () => {
    // Types of Node.js ask for themselves, which Plug'n'Play lets them only where the application has them.
    const yarn = bin('@yarnpkg/cli-dist/bin/yarn.js');
    const { folder, run } = application('with-yarn', { typescript: '5.9.3', '@types/node': '20.19.43' });
    // A file of its own, so that no project further up is taken for the root.
    writeFileSync(join(folder, 'yarn.lock'), '');
    run('node', yarn, 'install');
    assert.ok(existsSync(join(folder, '.pnp.cjs')) && !existsSync(join(folder, 'node_modules')));
    assert.deepEqual(['serve.cjs', 'serve.mjs'].map((file) => run('node', yarn, 'node', file)), SERVED);
    assert.equal(run('node', yarn, 'tsc', '-p', '.'), '');
  });

  test('yarn 1', () => {
    const { run } = application('with-yarn-1');
    run('node', bin('yarn/bin/yarn.js'), 'install', '--no-lockfile', '--ignore-engines', '--non-interactive');
    assert.deepEqual(['serve.cjs', 'serve.mjs'].map((file) => run('node', file)), SERVED);
  });
});
