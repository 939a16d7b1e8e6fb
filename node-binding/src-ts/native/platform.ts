// Names of platforms as builds and platform packages spell them: `linux-x64-gnu`, `darwin-arm64`.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Where the name of the loader stands in a program: its headers and first sections. */
const HEAD = 4096;

/** The head of this process's program. It names the loader of its C library. */
function head(): string {
  const bytes = Buffer.alloc(HEAD);
  const file = openSync(process.execPath, 'r');
  try {
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, HEAD, 0));
  } finally {
    closeSync(file);
  }
}

/** C library of this process: `gnu` or `musl`, and nothing where there is only one. */
export function libc(): 'gnu' | 'musl' | undefined {
  if (process.platform !== 'linux') return undefined;
  // The program comes first, because a Node.js for musl runs on Debian too. Reports are slow, so they come last.
  for (const read of [head, () => readFileSync('/usr/bin/ldd', 'latin1')]) {
    try {
      const text = read();
      if (text.includes('ld-musl-') || text.includes('musl libc')) return 'musl';
      if (text.includes('ld-linux') || text.includes('GNU libc')) return 'gnu';
    } catch {
      // Not readable: the next one.
    }
  }
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime ? 'gnu' : 'musl';
}

/** Name of the platform that this process runs on. */
export function triple(): string {
  return [process.platform, process.arch, libc()].filter(Boolean).join('-');
}
