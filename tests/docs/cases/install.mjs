// Commands that install: as they stand, with the folders of this machine.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { client, freePort, must, serve } from '../support/application.mjs';
import { blocks, root } from '../support/markdown.mjs';

function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'kraken-docs-install-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export default {
  // Two files and two commands.
  'first-minute-commands': async (t, block) => {
    const folder = folderOf(t);
    const port = await freePort();
    for (const [marker, name] of [['first-minute-server', 'server.mjs'], ['first-minute-page', 'index.html']]) {
      const { text } = blocks('README.md').find((one) => one.marker === marker);
      writeFileSync(join(folder, name), text.replace(/\b3000\b/g, String(port)));
    }
    const [installs, starts, ...more] = block.text.trim().split('\n');
    assert.deepEqual(more, []);
    await must('bash', ['-euc', installs.replace('/path/to/kraken-ws-native', root).replace('install', 'install --prefer-offline --no-audit --no-fund')], { cwd: folder });
    const { url } = await serve(t, undefined, starts.split(' ').slice(1), { cwd: folder, port });
    assert.match(await (await fetch(url)).text(), /^<!doctype html>/);
    await client(t, url);
  },
};
