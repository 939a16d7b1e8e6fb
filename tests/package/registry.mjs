// A registry of npm's kind on this machine: it holds the packed packages, and asks the real one for all others.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/server.mjs';
import { until } from '../support/wait.mjs';

const VERDACCIO = createRequire(import.meta.url).resolve('verdaccio/bin/verdaccio');

const config = (storage, uplink) => `
storage: ${storage}
uplinks:
  npm: { url: ${uplink}, cache: true, timeout: 60s, maxage: 60m, agent_options: { keepAlive: true, maxSockets: 16 } }
packages:
  kraken-ws-native*: { access: $all, publish: $all }
  '**': { access: $all, proxy: npm }
log: { type: stdout, format: json, level: warn }
`;

const answers = (url) => fetch(`${url}-/ping`).then(({ ok }) => ok, () => false);

/** Starts one with these tarballs. Gives its URL, a folder for applications outside of this repository, npm's cache and its end. */
export async function startRegistry(tarballs) {
  const work = mkdtempSync(join(tmpdir(), 'kraken-ws-registry-'));
  const [uplink, cache] = ['registry', 'cache'].map((name) => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim());
  mkdirSync(join(work, 'storage'));
  writeFileSync(join(work, 'config.yaml'), config(join(work, 'storage'), uplink));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const child = spawn(process.execPath, [VERDACCIO, '--config', join(work, 'config.yaml'), '--listen', `127.0.0.1:${port}`], {
    cwd: work, stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill();
    await ended;
    rmSync(work, { recursive: true, force: true });
  };
  try {
    await until(() => child.exitCode === null && answers(url), 'the registry', 60_000);
    // Everybody may publish here, but npm wants to be somebody.
    const npmrc = join(work, 'npmrc');
    writeFileSync(npmrc, `registry=${url}\n//127.0.0.1:${port}/:_authToken=nobody\n`);
    for (const tarball of tarballs) {
      execFileSync('npm', ['publish', tarball, '--userconfig', npmrc, '--loglevel=error'], { cwd: work, timeout: 60_000, stdio: ['ignore', 'ignore', 'inherit'] });
    }
  } catch (err) {
    await stop();
    throw err;
  }
  return { url, work, cache, stop };
}
