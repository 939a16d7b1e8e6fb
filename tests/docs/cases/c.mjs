// The C blocks, and the commands that build and start hosts in C: against the library as the tests built it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { event } from '../../support/wait.mjs';
import { client, freePort, must, serve } from '../support/application.mjs';
import { atEnd } from '../support/at-end.mjs';
import { built } from '../support/cargo.mjs';
import { root } from '../support/markdown.mjs';

// What is installed may be moved, so one install serves all.
let once;
function installed() {
  once ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kraken-docs-installed-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    await must(join(root, 'ffi/install.sh'), [built, join(folder, 'kraken')]);
    return join(folder, 'kraken');
  })();
  return once;
}

/** A folder in which the repository lies as `kraken-ws-native`, with a home where the library gets installed. */
async function clone(t, { install = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'kraken-docs-c-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await must('mkdir', ['kraken-ws-native', 'home', 'bin'], { cwd: folder });
  const repository = join(folder, 'kraken-ws-native');
  for (const name of ['ffi', 'include', 'tests', 'node-binding']) symlinkSync(join(root, name), join(repository, name));
  // The release build is not for a test: this `make` puts what is built where it should go.
  const from = await installed();
  writeFileSync(join(folder, 'bin/make'), `#!/bin/sh
for word in "$@"; do case $word in PREFIX=*) prefix=\${word#PREFIX=};; install) ;; *) exit 1;; esac; done
exec cp -a ${from} "$prefix"
`, { mode: 0o755 });
  writeFileSync(join(folder, 'bin/npm'), '#!/bin/sh\n[ "$*" = "--prefix tests ci" ]\n', { mode: 0o755 });
  const env = { HOME: join(folder, 'home'), PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  if (install) await must('cp', ['-a', from, join(folder, 'home/kraken')]);
  env.PKG_CONFIG_PATH = join(folder, 'home/kraken/lib/pkgconfig');
  env.LD_LIBRARY_PATH = join(folder, 'home/kraken/lib');
  return { folder, repository, env };
}

/** The commands but the last in a shell, then the last, which serves. */
async function shellThenServe(t, { repository, env }, text, cwd = repository) {
  const lines = text.trim().split('\n').map((line) => line.replace(/ +#.*$/, ''));
  const last = lines.pop();
  const port = await freePort();
  assert.match(last, /\b3000\b/);
  await must('bash', ['-euc', lines.join('\n')], { cwd, env });
  const [program, ...args] = last.replace('3000', String(port)).split(' ');
  return serve(t, join(repository, program), args, { cwd: repository, port, env });
}

async function compile({ folder, env }, name, text) {
  writeFileSync(join(folder, `${name}.c`), text);
  await must('bash', ['-euc', `cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror ${name}.c -o ${name} $(pkg-config --cflags --libs kraken_ws)`], { cwd: folder, env });
  return join(folder, name);
}

/** An application with these lines in its CMakeLists.txt, configured, and built if `build` says so. */
async function cmake(t, lines, build) {
  const { folder, env } = await clone(t);
  writeFileSync(join(folder, 'app.c'), '#include <kraken_ws.h>\nint main(void) { return !kraken_ws_get_api(KRAKEN_WS_ABI_VERSION, sizeof(kraken_ws_api)); }\n');
  writeFileSync(join(folder, 'CMakeLists.txt'), `cmake_minimum_required(VERSION 3.18)\nproject(app C)\nadd_executable(app app.c)\n${lines}`);
  await must('cmake', ['-S', '.', '-B', 'out', `-DCMAKE_PREFIX_PATH=${join(folder, 'home/kraken')}`], { cwd: folder, env });
  if (!build) return;
  await must('cmake', build, { cwd: folder, env });
  await must(join(folder, 'out/app'), [], { env });
}

export default {
  'c-first-host': async (t, block) => {
    const place = await clone(t, { install: false });
    const { url } = await shellThenServe(t, place, block.text, place.folder);
    await client(t, url);
  },
  'c-chat-host': async (t, block) => {
    const { url } = await shellThenServe(t, await clone(t), block.text);
    assert.match(await (await fetch(url)).text(), /<!doctype html>/i);
    await client(t, url, { auth: { name: 'Ada' } });
  },
  'c-host': async (t, block) => {
    const port = await freePort();
    const place = await clone(t);
    const program = await compile(place, 'host', block.text.replace('3000', String(port)));
    const { url } = await serve(t, program, [], { port, env: place.env });
    assert.deepEqual(await event(await client(t, url), 'newMessage'), [{ content: 'hello' }]);
  },
  'c-link-lines': async (t, block) => {
    const { folder, env } = await clone(t);
    writeFileSync(join(folder, 'host.c'), '#include <kraken_ws.h>\n#include <stdio.h>\nint main(void) { return puts(KRAKEN_WS_VERSION) < 0 || !kraken_ws_get_api(KRAKEN_WS_ABI_VERSION, sizeof(kraken_ws_api)); }\n');
    for (const line of block.text.trim().split('\n')) await must('bash', ['-euc', `${line}\n./a.out`], { cwd: folder, env });
  },
  'cmake-installed': (t, block) => cmake(t, block.text, ['--build', 'out']),
  // Configured only: the library would be built by cargo. tests/c/run.sh builds it.
  'cmake-sources': (t, block) => cmake(t, block.text.replace('/path/to/kraken-ws-native', root)),
  'c-module': async (t, block) => {
    const { repository, env } = await clone(t);
    await must('bash', ['-euc', block.text], { cwd: repository, env });
    assert.match(await must('nm', ['-D', 'profanity.so'], { cwd: repository }), / T kraken_ws_module_on_load/);
  },
  // The lines stand in a host that starts, loads and sends what the module says of itself.
  'c-module-load': async (t, block) => {
    const place = await clone(t);
    await must('bash', ['-euc', 'cc -shared -fPIC -Iinclude ffi/examples/profanity_module.c -o ../profanity.so'], { cwd: place.repository, env: place.env });
    const program = await compile(place, 'loads', `#include <stdio.h>
#include <kraken_ws.h>
int main(void) {
  kraken_ws_callbacks callbacks = {.size = sizeof callbacks};
  kraken_ws_server *server;
  char error[256];
  kraken_ws_status status;
  if (kraken_ws_server_new(NULL, &callbacks, &server)) return 1;
  {
${block.text.replace('kraken_ws_server_load_module(', 'status = kraken_ws_server_load_module(')}
  }
  if (status) kraken_ws_last_error(error, sizeof error), puts(error);
  else puts("loaded");
  return (int)status;
}
`);
    assert.equal(await must(program, [], { cwd: place.folder, env: place.env }), 'loaded\n');
  },
};
