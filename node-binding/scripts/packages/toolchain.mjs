// How the binary of a platform is built: cargo-zigbuild, whose linker knows every libc, and a standard library for the
// target from rustup, else built from the sources in Debian's packages (.ci/setup.sh, setup_packages).
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GLIBC } from '../platforms.mjs';

/** The compiler's standard library for the target: from rustup, or from Debian with what it takes to build it. */
function standardLibrary(target, root) {
  const sysroot = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
  if (existsSync(join(sysroot, 'lib/rustlib', target, 'lib'))) return { name: 'rustup', args: [], env: {} };
  const debian = join(root, 'debian-rust');
  if (!existsSync(join(debian, '.done'))) return undefined;
  return {
    name: "Debian's sources",
    args: ['-Zbuild-std=std,panic_unwind'],
    env: { RUSTC: join(debian, 'rustc'), RUSTC_BOOTSTRAP: '1' },
  };
}

/** `run(args, { cwd, env })` builds; or `missing` says what there is none of. */
export function toolchainFor({ rust, libc }, root) {
  const zig = join(root, 'zig');
  if (!existsSync(join(zig, '.done'))) return { missing: 'cargo-zigbuild and ziglang cannot be had from PyPI' };
  const library = standardLibrary(rust, root);
  if (!library) return { missing: `no standard library for ${rust}, neither with rustup nor from Debian's packages` };
  const environment = {
    ...process.env,
    PATH: `${join(zig, 'bin')}:${process.env.PATH}`,
    // An addon is loaded by a program that has the C library.
    ...(libc === 'musl' && { RUSTFLAGS: '-Ctarget-feature=-crt-static' }),
    ...library.env,
  };
  return {
    name: library.name,
    target: libc === 'glibc' ? `${rust}.2.${GLIBC}` : rust,
    run: (args, { cwd, env }) => execFileSync('cargo-zigbuild', ['zigbuild', '--locked', ...args, ...library.args], {
      cwd, env: { ...environment, ...env }, stdio: ['ignore', 'inherit', 'inherit'],
    }),
  };
}
