// docs/support.md claims nothing untested: each row names tests that exist, and the versions of Node.js run here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { event } from '../support/wait.mjs';
import { firstMinute } from './cases/node.mjs';
import { client } from './support/application.mjs';
import { pageText, root } from './support/markdown.mjs';

const rows = pageText('docs/support.md').split('\n').filter((line) => /^\| (?!---|what )/.test(line)).map((line) => line.split('|').map((cell) => cell.trim()).slice(1, -1));

test('each row names tests that exist', () => {
  assert.ok(rows.length > 10);
  for (const [what, , tests] of rows) {
    const named = [...tests.matchAll(/`(tests\/[^`]+)`/g)].map(([, path]) => path);
    assert.ok(named.length > 0 || tests === 'every suite', `${what} names no test`);
    for (const path of named) assert.ok(existsSync(join(root, path)), `${path} does not exist`);
  }
});

const versions = rows.find(([what]) => what === 'Node.js')[1].split(', ').map(Number);
const modules = join(root, 'tests/docs/node_modules');
const other = Object.fromEntries(readdirSync(modules).filter((name) => /^node\d+$/.test(name)).map((name) => [name.slice(4), join(modules, name, 'bin/node')]));
const own = Number(process.versions.node.split('.')[0]);

for (const version of versions) {
  const path = version === own ? process.execPath : other[version];
  // The packages of other versions are for Linux on x64 only.
  test(`Node.js ${version} serves the first minute`, { skip: path ? false : 'there is no such Node.js for this machine' }, async (t) => {
    assert.equal(execFileSync(path, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }).trim(), String(version));
    const { url } = await firstMinute(t, path);
    for (const transport of ['websocket', 'polling', 'upgrade']) {
      const one = await client(t, url, { transport });
      const heard = event(one, 'chat');
      one.emit('chat', transport);
      assert.deepEqual(await heard, [transport]);
      one.disconnect();
    }
  });
}
