// The addon as a file: what it exports, and what stripping leaves of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readElf } from '../../node-binding/scripts/elf.mjs';
import { separate } from '../../node-binding/scripts/strip.mjs';
import { nativePath } from '../support/subject.mjs';
import { triple } from './workshop.mjs';

const elsewhere = { skip: process.platform === 'linux' ? false : 'reads ELF files' };

describe('the binary', elsewhere, () => {
  const built = join(nativePath, `kraken-ws-native.${triple()}.node`);
  let folder;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'kraken-binary-')); });
  after(() => rmSync(folder, { recursive: true }));

  test('exports what Node looks for, and nothing of the C ABI', () => {
    assert.deepEqual(readElf(built).exports, ['napi_register_module_v1']);
    // What the reader says of a library that has the C ABI, if one was built.
    const library = join(process.env.CARGO_TARGET_DIR ?? join(nativePath, '../target'), 'ci/libkraken_ws.so');
    if (existsSync(library)) {
      const symbols = readFileSync(join(nativePath, '../ffi/symbols.txt'), 'utf8').trim().split('\n');
      assert.deepEqual(readElf(library).exports, symbols);
    }
  });

  test('stripped, it loads, and a debugger finds its lines in the file beside it', () => {
    const [binary, symbols] = ['addon.node', 'addon.node.debug'].map((name) => join(folder, name));
    copyFileSync(built, binary);
    separate(binary, symbols);
    assert.equal(readElf(binary).stripped, true);
    assert.deepEqual(readElf(binary).exports, ['napi_register_module_v1']);
    assert.equal(readElf(symbols).sections.includes('.debug_line'), true);
    const size = statSync(binary).size;
    assert.ok(size < statSync(built).size / 2, `${size} of ${statSync(built).size} bytes`);
    const loaded = execFileSync(process.execPath, ['-p', 'typeof require(process.argv[1]).NativeServer', binary], { encoding: 'utf8' });
    assert.equal(loaded.trim(), 'function');
    const entry = execFileSync('nm', ['-D', '--defined-only', binary], { encoding: 'utf8' }).split(' ')[0];
    const line = execFileSync('addr2line', ['-e', binary, entry], { encoding: 'utf8' });
    assert.match(line, /\.rs:\d+/);
    // A second time there is nothing to take out, and the symbols stay.
    separate(binary, join(folder, 'second.debug'));
    assert.equal(existsSync(join(folder, 'second.debug')), false);
  });
});
