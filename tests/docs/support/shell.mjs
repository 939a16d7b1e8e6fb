// Commands of `sh` blocks without a case of their own: each has to exist, with its targets, scripts, files and flags.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { must } from './application.mjs';
import { root } from './markdown.mjs';

/** Simple commands of a block: words after variables are set, without redirections and comments. */
function commands(text) {
  const lines = text.replaceAll('\\\n', ' ').split('\n').map((line) => line.replace(/(^| )#.*$/, '').trim()).filter(Boolean);
  return lines.flatMap((line) => line.split(/ && | ; | \| /)).map((line) => {
    const words = line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g).map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
    while (/^\w+=/.test(words[0] ?? '')) words.shift();
    return words;
  }).filter((words) => words.length > 0);
}

const exists = (path, folder) => {
  const plain = path.replace(/\/?\*.*$/, '');
  assert.ok(existsSync(join(folder, plain)) || existsSync(join(root, plain)), `${path} does not exist`);
};

let metadata;
const cargoMetadata = async () => {
  metadata ??= JSON.parse(await must('cargo', ['metadata', '--offline', '--no-deps', '--format-version', '1'], { cwd: root }));
  return metadata;
};

const scriptOf = (folder, name) => {
  const at = [folder, join(root, 'node-binding')].find((one) => existsSync(join(one, 'package.json')));
  const { scripts = {} } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  assert.ok(scripts[name], `no script "${name}"`);
};

const CHECKS = {
  async make(args) {
    await must('make', ['-n', ...args.map((word) => word.replace('…', 'x'))], { cwd: root });
  },
  async cargo([command, ...args]) {
    const help = await must('cargo', command === 'nextest' ? ['nextest', 'run', '--help'] : ['help', command]).catch(() => assert.fail(`cargo ${command} does not exist`));
    const { packages } = await cargoMetadata();
    args.forEach((word, at) => {
      if (/^--?\w/.test(word)) assert.ok(help.includes(word.split('=')[0]), `cargo ${command} has no ${word}`);
      const value = args[at + 1];
      if (word === '-p') assert.ok(packages.some(({ name }) => name === value), `no package ${value}`);
      if (word === '--example') assert.ok(packages.some(({ targets }) => targets.some(({ kind, name }) => kind.includes('example') && name === value)), `no example ${value}`);
    });
  },
  node(args, folder) {
    const known = ['--test'];
    let taken = false;
    for (const word of args) {
      if (word.startsWith('--')) {
        if (!taken) assert.ok(known.includes(word), `node ${word}`);
      } else if (!taken || word.includes('/')) {
        if (!taken || existsSync(join(root, dirname(word)))) exists(word, folder);
        taken = !args.includes('--test');
      }
    }
  },
  npm([command, ...args], folder) {
    if (command === 'run' || command === 'start') return scriptOf(folder, command === 'start' ? 'start' : args[0]);
    if (command === '--prefix') return exists(`${args[0]}/package-lock.json`, folder);
    assert.ok(['install', 'pack', 'ci', 'uninstall'].includes(command), `npm ${command}`);
    for (const word of args) {
      const inside = /kraken-ws-native\/(.+)$/.exec(word)?.[1];
      // Tarballs and packages of ours are named with the version of today.
      const version = /^(?:.*\/)?kraken-ws-native[\w-]*[-@](\d+\.\d+\.\d+)(?:\.tgz)?$/.exec(word)?.[1];
      if (version) assert.equal(version, JSON.parse(readFileSync(join(root, 'node-binding/package.json'), 'utf8')).version, word);
      if (word.startsWith('/path/to/') && inside) exists(`${inside}/package.json`, root);
    }
    return undefined;
  },
  cd() {},
  export() {},
};

/** Checks each command; gives how many there were. */
export async function checkShell({ text, page }) {
  const list = commands(text);
  assert.ok(list.length > 0, 'the block has no command');
  for (const [name, ...args] of list) {
    const folder = join(root, dirname(page));
    if (/^(\.|tests|\.ci|ffi)\/|^\.ci/.test(name)) exists(name, folder);
    else {
      assert.ok(Object.hasOwn(CHECKS, name), `no check for the command "${name}": write one, or a case for the block`);
      await CHECKS[name](args, folder);
    }
  }
  return list.length;
}
