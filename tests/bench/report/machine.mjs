// Where and with what the numbers were taken.

import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

export function machine() {
  return {
    cpu: `${cpus().length} × ${cpus()[0].model}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
    node: process.version,
    rust: execFileSync('rustc', ['--version'], { encoding: 'utf8' }).trim().replace(/ \(.*/, ''),
  };
}
