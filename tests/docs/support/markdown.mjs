// What the suite needs to know of a Markdown page: fenced blocks with their markers, headings as GitHub names their
// anchors, links.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Every Markdown file of the repository, from its root. New ones count before they are committed. */
export function markdownFiles() {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' });
  return [...new Set(list.split('\n').filter(Boolean))];
}

export const pageText = (page) => readFileSync(`${root}/${page}`, 'utf8');

const FENCE = /^( *)(`{3,}|~{3,}) *([^\s`]*).*$/;
const MARKER = /^ *<!-- test: (.+?) -->$/;

/** `{ page, section, line, language, marker, text }` of each fenced block, in order. A marker is the comment right above. */
export function blocks(page) {
  const found = [];
  let open;
  let marker;
  let section = '';
  pageText(page).split('\n').forEach((line, at) => {
    if (open) {
      if (line.trim() === open.fence) {
        const { fence: _fence, indent, lines, ...block } = open;
        found.push({ ...block, text: `${lines.map((one) => one.slice(Math.min(indent, one.search(/\S|$/)))).join('\n')}\n` });
        open = undefined;
      } else open.lines.push(line);
      return;
    }
    const fence = FENCE.exec(line);
    if (fence) {
      open = { page, section, line: at + 1, language: fence[3], marker, fence: fence[2], indent: fence[1].length, lines: [] };
      marker = undefined;
    } else if (MARKER.test(line)) marker = MARKER.exec(line)[1];
    else if (line.trim() !== '') {
      marker = undefined;
      if (line.startsWith('## ')) section = line.slice(3);
    }
  });
  if (open) throw new Error(`${page}:${open.line}: the block is not closed`);
  return found;
}

/** The page without its blocks and code spans. */
const prose = (page) => {
  let inside = false;
  const lines = pageText(page).split('\n').map((line) => {
    if (FENCE.test(line)) inside = !inside;
    else if (!inside) return line;
    return '';
  });
  return lines;
};

/** Anchors of a page: headings as GitHub names them, and `<a name>`. */
export function anchors(page) {
  const seen = new Map();
  const names = new Set();
  for (const line of prose(page)) {
    const heading = /^ {0,3}#{1,6} +(.+?) *#*$/.exec(line);
    if (heading) {
      const text = heading[1].replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/<[^>]+>/g, '');
      const slug = text.trim().toLowerCase().replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
      const again = seen.get(slug) ?? 0;
      seen.set(slug, again + 1);
      names.add(again ? `${slug}-${again}` : slug);
    }
    for (const [, name] of line.matchAll(/<a (?:name|id)="([^"]+)"/g)) names.add(name);
  }
  return names;
}

/** `{ line, target }` of each link and image. */
export function links(page) {
  return prose(page).flatMap((line, at) => {
    const plain = line.replace(/`[^`]*`/g, (span) => '`'.repeat(span.length));
    const targets = [
      ...[...plain.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(([, target]) => target),
      ...[...plain.matchAll(/^ *\[[^\]]+\]: +(\S+)/g)].map(([, target]) => target),
      ...[...plain.matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, target]) => target),
    ];
    return targets.map((target) => ({ line: at + 1, target }));
  });
}
