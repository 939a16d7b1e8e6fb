// What reads `require` without running it (bundlers, tracers), and test runners with module systems of their own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeFileTrace } from '@vercel/nft';
import { build } from 'esbuild';
import { PLATFORMS, binaryName, packageName } from '../../node-binding/scripts/platforms.mjs';
import { application, cleanUp, pack, triple } from './workshop.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = (cwd, ...args) => execFileSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 120_000, stdio: 'pipe' }).trim();

test('the loader names each published platform in requires of its own, and no other', () => {
  const loader = readFileSync(join(here, '../../node-binding/src-ts/native/addon.ts'), 'utf8');
  const named = [...loader.matchAll(/case '(.+)':\n +return require\('(.+)'\);/g)].map(([, platform, what]) => [platform, what]);
  const published = PLATFORMS.map(({ triple: platform }) => platform);
  assert.deepEqual(named.sort(), [
    ...published.map((platform) => [platform, `../../${binaryName(platform)}`]),
    ...published.map((platform) => [platform, packageName(platform)]),
  ].sort());
});

describe('tools of applications', () => {
  let folder;
  let elsewhere;
  before(() => {
    folder = application('tools', Object.values(pack()), ['anywhere/serve.cjs', 'chat.test.cjs']);
    elsewhere = mkdtempSync(join(tmpdir(), 'kraken-ws-tools-'));
  });
  after(() => {
    rmSync(elsewhere, { recursive: true, force: true });
    cleanUp();
  });

  test('esbuild bundles it, binary included, and the bundle runs where nothing is installed', async () => {
    const out = join(elsewhere, 'bundle');
    const { warnings } = await build({
      entryPoints: [join(folder, 'serve.cjs')], bundle: true, platform: 'node', outdir: out,
      loader: { '.node': 'copy' }, logLevel: 'silent',
    });
    assert.deepEqual(warnings, []);
    assert.equal(readdirSync(out).filter((name) => name.endsWith('.node')).length, 1);
    // The client's bundles are files that are read: they stay behind.
    assert.equal(run(out, 'serve.js'), 'true,bytes,websocket,404');
  });

  test('nft finds everything that a program needs', async () => {
    const { fileList, warnings } = await nodeFileTrace([join(folder, 'serve.cjs')], { base: here });
    const place = join(elsewhere, 'traced');
    for (const file of fileList) {
      mkdirSync(dirname(join(place, file)), { recursive: true });
      cpSync(join(here, file), join(place, file));
    }
    assert.deepEqual([...warnings].filter(({ message }) => message.includes(`native-${triple()}`)), []);
    const program = [...fileList].find((file) => file.endsWith('serve.cjs'));
    assert.equal(run(place, program), 'true,bytes,websocket,200');
  });

  test('Jest', () => {
    writeFileSync(join(folder, 'jest.config.json'), '{ "testMatch": ["**/chat.test.cjs"], "testEnvironment": "node" }');
    run(folder, join(here, 'node_modules/jest/bin/jest.js'), '--rootDir', '.', '--ci', '--config', 'jest.config.json');
  });

  test('Vitest', () => {
    const said = run(folder, join(here, 'node_modules/vitest/vitest.mjs'), 'run', '--root', '.', '--globals');
    assert.match(said, /Tests .*3 passed/);
  });
});
