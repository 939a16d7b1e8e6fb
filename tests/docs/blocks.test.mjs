// Every fenced block of the documentation is run, compiled or parsed. A block with the comment `test: NAME` above it is
// run by the case of that name in cases/; others by the checks of their language; one that has neither fails.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import c from './cases/c.mjs';
import install from './cases/install.mjs';
import nest from './cases/nest.mjs';
import node from './cases/node.mjs';
import rust, { compileRust } from './cases/rust.mjs';
import testing from './cases/testing.mjs';
import { must } from './support/application.mjs';
import { blocks, markdownFiles, root } from './support/markdown.mjs';
import { checkShell } from './support/shell.mjs';

const PAGES = [
  ...markdownFiles().filter((page) => page.startsWith('docs/')),
  'README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'core/README.md', 'node-binding/README.md', 'node-binding/API.md',
  ...markdownFiles().filter((page) => page.startsWith('ffi/')),
];
// Configurations are run by a real nginx and HAProxy in a file of their own.
const elsewhere = { nginx: 'tests/docs/proxies.test.mjs', haproxy: 'tests/docs/proxies.test.mjs' };
const cases = { ...node, ...testing, ...nest, ...rust, ...c, ...install };
const all = PAGES.flatMap(blocks);
const rustBlocks = all.filter(({ language }) => /^rust\b/.test(language));

// A guide that a test of its own walks: it applies the diffs and runs the commands of these sections.
const WALKED = { page: 'docs/migrate.md', sections: /^Step /, languages: ['diff', 'sh'], reader: 'tests/package/guide.mjs', walker: 'tests/package/migration.test.mjs' };

const isWalked = ({ page, section, language }) =>
  page === WALKED.page && WALKED.sections.test(section) && WALKED.languages.includes(language);

test(`${WALKED.walker} walks ${WALKED.page}`, () => {
  const walker = readFileSync(join(root, WALKED.walker), 'utf8');
  assert.ok(readFileSync(join(root, WALKED.reader), 'utf8').includes(WALKED.page));
  assert.ok(walker.includes("startsWith('Step')") && WALKED.languages.every((language) => walker.includes(`'${language}')`)));
  assert.ok(all.some(isWalked));
});

const LANGUAGES = {
  sh: checkShell,
  json: ({ text }) => JSON.parse(text),
  // A manifest of cargo's: cargo reads it.
  async toml({ text }) {
    const folder = mkdtempSync(join(tmpdir(), 'kraken-docs-toml-'));
    try {
      await must('mkdir', ['src'], { cwd: folder });
      writeFileSync(join(folder, 'src/main.rs'), 'fn main() {}\n');
      const manifest = text.replaceAll('"kraken-ws-native/', `"${root}`);
      writeFileSync(join(folder, 'Cargo.toml'), `[package]\nname = "app"\nversion = "0.0.0"\nedition = "2024"\n\n${manifest}`);
      const { packages: [{ dependencies }] } = JSON.parse(await must('cargo', ['metadata', '--offline', '--no-deps', '--format-version', '1'], { cwd: folder }));
      assert.ok(dependencies.length > 0);
      for (const { path } of dependencies) if (path) assert.ok(existsSync(join(path, 'Cargo.toml')), path);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  nginx: ({ marker, page }) => named(elsewhere.nginx, marker, page),
  haproxy: ({ marker, page }) => named(elsewhere.haproxy, marker, page),
};

function named(file, marker, page) {
  const text = readFileSync(join(root, file), 'utf8');
  assert.ok(marker && text.includes(`'${marker}'`) && text.includes(page), `${file} does not run "${marker}"`);
}

// A drawing is no code.
const DRAWINGS = new Set(['ARCHITECTURE.md']);

describe('blocks of the documentation', { concurrency: 2 }, () => {
  const counts = {};
  after(() => console.log(`blocks: ${Object.entries(counts).sort().map(([how, count]) => `${how} ${count}`).join(', ')}`));
  for (const block of all) {
    const { page, line, language, marker } = block;
    const check = marker && cases[marker];
    let how = check ? 'by a case' : language;
    if (!check && language === '' && DRAWINGS.has(page)) how = 'drawing';
    if (!check && isWalked(block)) how = `walked by ${WALKED.walker}`;
    counts[how] = (counts[how] ?? 0) + 1;
    test(`${page}:${line} ${language}${marker ? ` ${marker}` : ''}`, { timeout: 120_000 }, async (t) => {
      if (check) {
        const number = rustBlocks.indexOf(block);
        const context = number < 0 ? {} : { rust: { number, program: await compileRust(rustBlocks) } };
        return check(t, block, context);
      }
      if (how === 'drawing' || how.startsWith('walked')) return undefined;
      assert.ok(!marker || elsewhere[language], `there is no case "${marker}"`);
      // Without a case: it ends by itself, and well.
      if (/^rust\b/.test(language)) return must(await compileRust(rustBlocks), [String(rustBlocks.indexOf(block))], { ms: 20_000, env: { PORT: '0' } });
      assert.ok(Object.hasOwn(LANGUAGES, language), `nothing runs a block in the language "${language}": mark it with a case`);
      return LANGUAGES[language](block);
    });
  }
});

test('every case has its block', () => {
  const used = new Set(all.map(({ marker }) => marker));
  assert.deepEqual(Object.keys(cases).filter((name) => !used.has(name)), []);
});
