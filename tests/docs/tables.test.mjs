// Tables that repeat what the sources say: options, error codes, disconnect reasons, refusals, statistics, make targets.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Server } from '../support/subject.mjs';
import { pageText, root } from './support/markdown.mjs';

const source = (path) => readFileSync(join(root, path), 'utf8');

/** Rows of the table under a heading row that begins with `head`, as cells. */
function table(page, head, which = 0) {
  const lines = pageText(page).split('\n');
  const starts = lines.flatMap((line, at) => (line.startsWith(`| ${head} |`) ? [at] : []));
  const rows = [];
  for (let at = starts[which] + 2; lines[at]?.startsWith('|'); at++) {
    rows.push(lines[at].split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
  }
  assert.ok(rows.length > 3, `${page} has no table "${head}"`);
  return rows;
}

const plain = (cell) => cell.replace(/`/g, '').replace(/ \(.*\)$/, '');

/** The rows of the core's options. */
function coreTable() {
  const spec = source('core/src/options/spec.rs');
  return spec.slice(spec.indexOf('table OPTIONS'), spec.indexOf('beside {'));
}

/** The range that an option's own error tells. */
function rangeOf(name) {
  try {
    new Server(0, { host: '127.0.0.1', [name]: -1, strictOptions: true }).close();
  } catch (error) {
    const [, least, most] = / from (\d+) to (\d+)/.exec(error.message) ?? [];
    return least === undefined ? undefined : `${least} – ${most}`;
  }
  return undefined;
}

test('options: names and ranges are those of the core', () => {
  const listed = [...coreTable().matchAll(/^ +(?:\w+: .+ = )?"(\w+)", (\w+)\(/gm)];
  const names = listed.map(([, name]) => name);
  const rows = table('docs/options.md', 'option');
  assert.deepEqual(rows.map(([name]) => plain(name)).sort(), names.sort());
  const numbers = rows.filter(([, , range]) => /^\d+ – \d+$/.test(range));
  assert.ok(numbers.length > 15);
  for (const [name, , range] of numbers) assert.equal(range, rangeOf(plain(name)), name);
  for (const [, name, kind] of listed) {
    if (!/^(Millis|Bytes|Count)$/.test(kind)) continue;
    assert.ok(numbers.some(([row]) => plain(row) === name), `${name} has no range on the page`);
  }
});

test('options: defaults are those of the core', () => {
  const GIB = 2 ** 30;
  const DAY = 86_400_000;
  const spec = coreTable().replace(/_(?=\d)/g, '');
  const number = (text) => Function('GIB', 'MIB', 'DAY', `return ${text}`)(GIB, 2 ** 20, DAY);
  let checked = 0;
  for (const [name, value] of table('docs/options.md', 'option')) {
    const [, , , , initial] = new RegExp(`"${plain(name)}", (Millis|Bytes|Count)\\(([^,]+),([^,]+),([^)]+)\\)`).exec(spec) ?? [];
    const [, flag] = new RegExp(`"${plain(name)}", (?:Bool|Compression)\\((true|false)`).exec(spec) ?? [];
    if (initial) assert.equal(Number(value), number(initial), name);
    else if (flag) assert.equal(plain(value.split(';')[0]), flag, name);
    else continue;
    checked++;
  }
  assert.ok(checked > 20, String(checked));
});

test('errors: numbers and names are those of the C header', () => {
  const header = [...source('include/kraken_ws.h').matchAll(/^ +KRAKEN_WS_ERROR_(\w+) = (\d+),/gm)].map(([, name, number]) => `${number} ${name}`);
  assert.deepEqual(table('docs/errors.md', 'number').map(([number, name]) => `${number} ${plain(name)}`), header);
});

test('reasons and refusals are those of the core', () => {
  const codes = source('node-binding/src-ts/generated/codes.ts');
  const reasons = [...codes.slice(codes.indexOf('type DisconnectReason'), codes.indexOf('export const errors')).matchAll(/\| '([^']+)'/g)].map(([, reason]) => reason);
  assert.deepEqual(table('docs/errors.md', 'reason').map(([reason]) => plain(reason)).sort(), reasons.sort());
  const messages = [...codes.slice(codes.indexOf('errorMessages')).matchAll(/(\d): '([^']+)'/g)].map(([, code, message]) => `${code} ${message}`);
  assert.deepEqual(table('docs/errors.md', 'code').map(([code, message]) => `${code} ${plain(message)}`), messages);
});

test('statistics: the page names every figure', async () => {
  const io = new Server(0, { host: '127.0.0.1' });
  const text = pageText('docs/figures.md');
  const missing = Object.keys(io.stats()).filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`io.stats().${name}\``));
  await io.close();
  assert.deepEqual(missing, []);
});

test('the commands of CONTRIBUTING.md and the Makefile are the same', () => {
  const phony = /^\.PHONY: (.+)$/m.exec(source('Makefile'))[1].split(' ');
  const rows = table('CONTRIBUTING.md', 'command').map(([command]) => plain(command).replace(/^make /, '').split(' ')[0]);
  assert.deepEqual(rows.sort(), phony.sort());
  execFileSync('make', ['-n', ...phony.filter((name) => name !== 'clean')], { cwd: root, stdio: 'ignore' });
});
