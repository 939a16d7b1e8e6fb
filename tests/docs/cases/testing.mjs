// docs/testing.md: its files are run by the runners they are for.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { application, run } from '../support/application.mjs';
import { atEnd } from '../support/at-end.mjs';
import { blocks, root } from '../support/markdown.mjs';

const modules = join(root, 'tests/docs/node_modules');

// Each runner is started once, with all files of the page that are for it.
const runs = new Map();

/** What a runner says of these files: `[name, text]` each. */
function once(runner, packages, args) {
  runs.get(runner) ?? runs.set(runner, (async () => {
    const folder = application({ after: atEnd }, packages);
    const files = blocks('docs/testing.md').filter(({ marker }) => marker === runner);
    for (const { text } of files) writeFileSync(join(folder, nameOf(text)), text);
    const { code, out } = await run(process.execPath, [...args, ...(runner === 'jest' ? ['--rootDir', folder] : [])], { cwd: folder, env: { NO_COLOR: '1' } });
    return { code, out, count: files.reduce((sum, { text }) => sum + text.match(/^test\(/gm).length, 0) };
  })());
  return runs.get(runner);
}

const nameOf = (text) => (/^\/\/ (\S+)\n/.exec(text) ?? assert.fail('the first line names the file'))[1];

export default {
  jest: async (_t, { text }) => {
    const { code, out, count } = await once('jest', ['socket.io-client'], [join(modules, 'jest/bin/jest.js'), '--watchman=false']);
    assert.equal(code, 0, out);
    assert.ok(out.includes(`PASS ./${nameOf(text)}`), out);
    assert.match(out, new RegExp(`Tests: +${count} passed, ${count} total`));
    assert.doesNotMatch(out, /did not exit/);
  },
  vitest: async (_t, { text }) => {
    const { code, out, count } = await once('vitest', ['socket.io-client', 'vitest'], [join(modules, 'vitest/vitest.mjs'), 'run', '--no-color']);
    assert.equal(code, 0, out);
    assert.ok(out.includes(`✓ ${nameOf(text)}`), out);
    assert.match(out, new RegExp(`Tests +${count} passed \\(${count}\\)`));
  },
};
