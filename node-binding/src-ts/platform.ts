// Names of platforms as builds and platform packages spell them: `linux-x64-gnu`, `darwin-arm64`.
import { readFileSync } from 'node:fs';

/** C library of this process: `gnu` or `musl`, and nothing where there is only one. */
export function libc(): 'gnu' | 'musl' | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    // `ldd` is a script with glibc and a link to the loader with musl; reading it is much quicker than a report.
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl') ? 'musl' : 'gnu';
  } catch {
    const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
    return report?.header?.glibcVersionRuntime ? 'gnu' : 'musl';
  }
}

/** Name of the platform that this process runs on. */
export function triple(): string {
  return [process.platform, process.arch, libc()].filter(Boolean).join('-');
}
