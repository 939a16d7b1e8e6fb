// docs/migrate.md as a program: what a reader copies from it, in order.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = new URL('../../docs/migrate.md', import.meta.url);

/** The steps by title; each with its blocks, `{ language, text }`, in the order of the page. */
export function steps() {
  const found = new Map();
  for (const part of readFileSync(PAGE, 'utf8').split(/^## /m).slice(1)) {
    const title = part.slice(0, part.indexOf('\n'));
    const blocks = [...part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));
    found.set(title, blocks);
  }
  return found;
}

/** Applies a diff: its first line names the file, ` …` leaves lines out, and each part stands in the file exactly once. */
export function apply(folder, diff) {
  const [first, ...lines] = diff.trimEnd().split('\n');
  const path = join(folder, / \/\/ (.+)/.exec(first)[1]);
  let source = readFileSync(path, 'utf8');
  for (const part of lines.join('\n').split('\n …\n')) {
    const of = (sign) => part.split('\n').filter((line) => line[0] === ' ' || line[0] === sign).map((line) => `${line.slice(1)}\n`).join('');
    const before = source.split(of('-'));
    if (before.length !== 2) throw new Error(`${path} has ${before.length - 1} times:\n${of('-')}`);
    source = before.join(of('+'));
  }
  writeFileSync(path, source);
}
