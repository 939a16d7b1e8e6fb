// No link of a Markdown page is dead: files are there, and so are the headings that anchors name.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';
import { anchors, links, markdownFiles, pageText, root } from './support/markdown.mjs';

const manifest = JSON.parse(readFileSync(join(root, 'node-binding/package.json'), 'utf8'));
const packed = ['README.md', 'LICENSE', 'package.json', ...manifest.files];
// Absolute links into the repository, once the package says where that is.
const home = (manifest.repository?.url ?? manifest.repository ?? '').replace(/^git\+/, '').replace(/\.git$/, '');

/** What is wrong with a link, or undefined. */
function fault(page, target) {
  let from = dirname(page);
  let to = target;
  if (home && to.startsWith(`${home}/blob/`)) {
    to = to.slice(`${home}/blob/`.length).replace(/^[^/]+\//, '');
    from = '.';
  } else if (/^[a-z]+:/.test(to)) return /^(https|mailto):/.test(to) || /^http:\/\/(localhost|127\.0\.0\.1)/.test(to) ? undefined : 'is not https';
  const [path, anchor] = decodeURIComponent(to).split('#');
  const file = path === '' ? page : normalize(join(from, path));
  if (file.startsWith('..')) return 'leaves the repository';
  if (!existsSync(join(root, file))) return 'does not exist';
  if (from !== '.' && /^node-binding\/(README|API)\.md$/.test(page)) {
    const inside = relative('node-binding', file);
    if (!packed.some((name) => inside === name || inside.startsWith(`${name}/`))) return 'is not in the package';
  }
  if (!anchor) return undefined;
  if (statSync(join(root, file)).isDirectory() || !file.endsWith('.md')) return undefined;
  return anchors(file).has(anchor) ? undefined : `has no heading "${anchor}"`;
}

test('every relative link and anchor of every Markdown page leads somewhere', () => {
  const pages = markdownFiles();
  const dead = [];
  let count = 0;
  for (const page of pages) {
    for (const { line, target } of links(page)) {
      count++;
      const wrong = fault(page, target);
      if (wrong) dead.push(`${page}:${line}: ${target} ${wrong}`);
    }
  }
  console.log(`links: ${count} in ${pages.length} pages`);
  assert.ok(count > 80);
  assert.deepEqual(dead, []);
});

test('a page of docs that is named in text exists', () => {
  const dead = markdownFiles().flatMap((page) =>
    [...pageText(page).matchAll(/`(docs\/[\w-]+\.md)`/g)].map(([, name]) => name).filter((name) => !existsSync(join(root, name))).map((name) => `${page}: ${name}`),
  );
  assert.deepEqual(dead, []);
});

test('every page of docs is in the index of the README', () => {
  const index = links('README.md').map(({ target }) => target);
  const pages = markdownFiles().filter((page) => page.startsWith('docs/'));
  assert.ok(pages.length > 10);
  assert.deepEqual(pages.filter((page) => !index.includes(page)), []);
});

test('the checks find what is wrong', () => {
  assert.equal(fault('README.md', 'docs/none.md'), 'does not exist');
  assert.equal(fault('README.md', 'docs/options.md#none'), 'has no heading "none"');
  assert.equal(fault('node-binding/README.md', '../README.md'), 'is not in the package');
  assert.equal(fault('node-binding/README.md', 'API.md'), undefined);
  assert.equal(fault('docs/scale.md', '../../elsewhere'), 'leaves the repository');
  assert.equal(fault('node-binding/README.md', `${home}/blob/main/docs/none.md`), 'does not exist');
});
