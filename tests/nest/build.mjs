// Makes the applications of this suite ready, once per NestJS major: installs the packed package as npm would,
// and compiles the TypeScript, as CommonJS for Nest 11 and as ES modules for Nest 12 (which has nothing else).
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const binding = join(here, '../../node-binding');

function run(command, args, cwd = here) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} ended with ${status}`);
}

const packed = mkdtempSync(join(tmpdir(), 'kraken-ws-native-'));
try {
  run('npm', ['pack', '--silent', '--pack-destination', packed], binding);
  for (const major of ['11', '12']) {
    const folder = join(here, 'majors', major);
    const installed = join(folder, 'node_modules/kraken-ws-native');
    rmSync(installed, { recursive: true, force: true });
    mkdirSync(installed);
    run('sh', ['-c', `tar -xzf "${packed}"/*.tgz -C "${installed}" --strip-components=1`]);

    // A copy, so that imports are looked up among this major's packages.
    for (const part of ['src', 'dist']) rmSync(join(folder, part), { recursive: true, force: true });
    for (const part of ['apps', 'kraken']) cpSync(join(here, part), join(folder, 'src', part), { recursive: true });
    run(process.execPath, [join(binding, 'node_modules/typescript/bin/tsc'), '-p', folder]);
  }
} finally {
  rmSync(packed, { recursive: true, force: true });
}
