// node-binding/API.md against socket.io: each public member of its type declarations has a row, and what a row
// calls same or better is there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { isNative } from '../support/subject.mjs';
import { event } from '../support/wait.mjs';

const require = createRequire(import.meta.url);
const tests = fileURLToPath(new URL('..', import.meta.url));
const binding = join(tests, '../node-binding');
const ts = require(join(binding, 'node_modules/typescript'));
const folder = (name) => join(tests, 'node_modules', name);

// Section of the page, and the classes and interfaces whose members it is about: [package, file, name].
const SOURCES = {
  Server: [['socket.io', 'dist/index.d.ts', 'Server']],
  'Namespace and ParentNamespace': [
    ['socket.io', 'dist/namespace.d.ts', 'Namespace'],
    ['socket.io', 'dist/parent-namespace.d.ts', 'ParentNamespace'],
  ],
  Socket: [['socket.io', 'dist/socket.d.ts', 'Socket']],
  BroadcastOperator: [['socket.io', 'dist/broadcast-operator.d.ts', 'BroadcastOperator']],
  RemoteSocket: [['socket.io', 'dist/broadcast-operator.d.ts', 'RemoteSocket']],
  Client: [['socket.io', 'dist/client.d.ts', 'Client']],
  Adapter: [['socket.io-adapter', 'dist/in-memory-adapter.d.ts', 'Adapter']],
  Engine: [['engine.io', 'build/server.d.ts', 'BaseServer'], ['engine.io', 'build/server.d.ts', 'Server']],
  Connection: [['engine.io', 'build/socket.d.ts', 'Socket']],
  Options: [
    ['socket.io', 'dist/index.d.ts', 'ServerOptions'],
    ['engine.io', 'build/server.d.ts', 'ServerOptions'],
    ['engine.io', 'build/server.d.ts', 'AttachOptions'],
  ],
};

// Public members; names that begin with an underscore are socket.io's own business, whatever their declaration says.
function members([name, file, type]) {
  const text = readFileSync(join(folder(name), file), 'utf8');
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  const found = new Set();
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).forEachChild((node) => {
    if (node.name?.text !== type || !node.members) return;
    for (const member of node.members) {
      const own = member.name?.getText();
      if (own && own[0] !== '_' && !(ts.getCombinedModifierFlags(member) & hidden)) found.add(own);
    }
  });
  assert.ok(found.size > 0, `${type} of ${name}`);
  return found;
}

// The page: section → [{ names, server, tested }].
function page() {
  const sections = {};
  let rows;
  for (const line of readFileSync(join(binding, 'API.md'), 'utf8').split('\n')) {
    if (line.startsWith('## ')) rows = sections[line.slice(3)] = [];
    const cells = line.split('|').slice(1, -1).map((cell) => cell.trim());
    if (!rows || cells.length !== 4 || cells[0] === 'member' || cells[0].startsWith('---')) continue;
    const names = [...cells[0].matchAll(/`(\w+)`/g)].map(([, name]) => name);
    const kind = /^(events?|listeners|types|private)\b/.test(cells[0]) ? 'other' : 'member';
    rows.push({ kind, names, server: cells[1], bridge: cells[2], tested: [...cells[3].matchAll(/`([\w/-]+)`/g)].map(([, f]) => f) });
  }
  return sections;
}

test('each public member of socket.io, its adapter and its engine has a row', () => {
  const sections = page();
  for (const [section, sources] of Object.entries(SOURCES)) {
    const declared = new Set(sources.flatMap((source) => [...members(source)]));
    const rows = sections[section].filter(({ kind }) => kind === 'member');
    const named = new Set(rows.flatMap(({ names }) => names));
    const missing = [...declared].filter((name) => !named.has(name));
    assert.deepEqual(missing, [], `${section}: declared, and without a row`);
  }
});

test('a row says same, better or missing, and names tests that exist', () => {
  for (const [section, rows] of Object.entries(page())) {
    for (const { names, server, bridge, tested } of rows) {
      const row = `${section}: ${names.join()}`;
      assert.ok(server.length > 0 && bridge.length > 0, row);
      for (const file of tested) assert.ok(existsSync(join(tests, `${file}.test.mjs`)), `${row}: tests/${file}.test.mjs`);
      if (/^(same|better)/.test(server)) assert.ok(tested.length > 0, `${row} is not tested`);
      if (/^missing/.test(server)) assert.match(server, /^missing: ./, row);
    }
  }
});

test('what a row calls same or better is there', async (t) => {
  const { io, url } = await serve(t);
  const announced = event(io.engine, 'connection');
  const { socket } = await pair(io, url);
  const [connection] = await announced;
  const [remote] = await io.fetchSockets();
  const objects = {
    Server: io,
    'Namespace and ParentNamespace': io.of(/^\/parent-/),
    Socket: socket,
    BroadcastOperator: io.to('r'),
    RemoteSocket: remote,
    Client: socket.client,
    Adapter: io.of('/').adapter,
    Engine: io.engine,
    Connection: connection,
  };
  for (const [section, object] of Object.entries(objects)) {
    const rows = page()[section].filter(({ kind, server }) => kind === 'member' && /^(same|better)/.test(server));
    const names = rows.flatMap((row) => row.names).filter((name) => !/^(port|httpServer|options)$/.test(name));
    assert.ok(names.length > 1);
    // socket.io's adapter knows its maps, its Client hides what ours shows.
    if (!isNative && section === 'Client') continue;
    const there = (name) => name in object || name in object.constructor;
    assert.deepEqual(names.filter((name) => !there(name)), [], section);
  }
  assert.ok(io.httpServer);
  assert.equal(io.of('/').adapter.init(), undefined);
  assert.equal(io.of('/').adapter.close(), undefined);
  assert.equal(typeof io.engine.opts, 'object');
  assert.equal(connection.upgrading, false);
});
