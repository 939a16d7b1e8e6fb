// Takes the symbols out of a binary, of this machine or of another one, and keeps them in a file for debuggers.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readElf } from './elf.mjs';

/** The objcopy that came with the compiler, else LLVM's: GNU's knows its own machine's files only. */
function objcopy() {
  const root = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
  const targets = join(root, 'lib/rustlib');
  for (const target of existsSync(targets) ? readdirSync(targets) : []) {
    const command = join(targets, target, 'bin/rust-objcopy');
    // It is linked with the compiler's LLVM and does not say where that is.
    if (existsSync(command)) return { command, env: { ...process.env, LD_LIBRARY_PATH: join(root, 'lib') } };
  }
  return { command: 'llvm-objcopy', env: process.env };
}

function run(command, args, options) {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'inherit', 'pipe'], encoding: 'utf8', ...options });
  } catch (error) {
    const reason = error.code === 'ENOENT' ? 'it is missing; install LLVM, or Rust with rustup' : String(error.stderr).trim();
    throw new Error(`${command}: ${reason}`, { cause: error });
  }
}

function separateElf(binary, symbols) {
  const { command, env } = objcopy();
  const options = { env, cwd: dirname(symbols) };
  run(command, ['--only-keep-debug', binary, symbols], options);
  run(command, ['--strip-all', binary, `${binary}.new`], options);
  // How debuggers find the file: by its name and a checksum of it.
  run(command, [`--add-gnu-debuglink=${basename(symbols)}`, `${binary}.new`], options);
  renameSync(`${binary}.new`, binary);
}

/** Leaves `binary` stripped and writes to `symbols` what was taken out; a stripped one stays as it is. */
export function separate(binary, symbols) {
  const [from, to] = [resolve(binary), resolve(symbols)];
  const elf = readElf(from);
  if (elf?.stripped) return;
  mkdirSync(dirname(to), { recursive: true });
  if (elf) {
    separateElf(from, to);
  } else if (process.platform === 'darwin') {
    run('dsymutil', [from, '-o', to]);
    run('strip', ['-x', from]);
  }
  // The rest is Windows, whose symbols are in a file of their own from the start.
}
