// All Rust blocks, compiled at once into one program: each is a module of it, chosen by its number.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { event } from '../../support/wait.mjs';
import { client, freePort, must, serve, within } from '../support/application.mjs';
import { atEnd } from '../support/at-end.mjs';
import { built, crates } from '../support/cargo.mjs';
import { root } from '../support/markdown.mjs';

let program;

/** Compiles these blocks; gives the program. */
export function compileRust(blocks) {
  program ??= compile(blocks);
  return program;
}

async function compile(blocks) {
  const folder = mkdtempSync(join(tmpdir(), 'kraken-docs-rust-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const modules = blocks.map(({ page, line, text }, at) => {
    // Lines that rustdoc hides are code here.
    const code = text.replace(/^#( |$)/gm, '').replaceAll(/\b3000\b/g, 'crate::port()');
    const whole = /\bfn main\(/.test(code) ? code.replace(/^((?:async )?)fn main\(/m, 'pub $1fn main(') : `pub fn main() -> Result<(), Box<dyn std::error::Error>> {\n${code}\nOk(()) }`;
    return `// ${page}:${line}\nmod block_${at} {\n${whole}\n}`;
  });
  const choice = blocks.map((_, at) => `        "${at}" => block_${at}::main().unwrap(),`);
  const text = `${modules.join('\n\n')}
pub fn port() -> u16 { std::env::var("PORT").unwrap().parse().unwrap() }
fn main() {
    match std::env::args().nth(1).unwrap().as_str() {
${choice.join('\n')}
        other => panic!("no block {other}"),
    }
}
`;
  const source = join(folder, 'blocks.rs');
  writeFileSync(source, text);
  const libraries = await crates();
  const externs = ['kraken_ws_core', 'serde_json', 'tokio', 'bytes'].flatMap((name) => ['--extern', `${name}=${libraries[name]}`]);
  await must('rustc', ['--edition', '2024', '-D', 'warnings', '-A', 'dead_code', source, '-o', join(folder, 'blocks'), '-L', `dependency=${join(built, 'deps')}`, ...externs], { cwd: root, ms: 120_000 });
  return join(folder, 'blocks');
}

const run = (check) => async (t, block, { rust }) => {
  const port = await freePort();
  const { url, out } = await serve(t, rust.program, [String(rust.number)], { port, env: { PORT: String(port) } });
  await check({ url, out, enter: () => client(t, url) });
};

export default {
  'rust-host': run(async ({ out, enter }) => {
    const one = await enter();
    const told = event(one, 'userOnline');
    await enter();
    await told;
    assert.equal(await within(one.emitWithAck('anything', 1), 'ack'), true);
    assert.match(out(), /^clients connect to http:\/\/127\.0\.0\.1:\d+\n/);
  }),
};
