// The packed package: what is in it, how it installs, what its users' compilers say, who runs on it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { io as connect } from 'socket.io-client';
import { event, until } from '../support/wait.mjs';
import { application, cleanUp, files, lend, pack, packPlainly, program, run, staged, triple, typeErrors, version } from './workshop.mjs';

describe('the packed package', () => {
  const platform = `kraken-ws-native-${triple()}`;
  let tarballs;
  before(() => { tarballs = pack(); });
  after(cleanUp);

  test('there is the root package and one with the binary of this platform', () => {
    assert.deepEqual(Object.keys(tarballs).sort(), ['kraken-ws-native', platform]);
  });

  test('the root package holds JavaScript, types, documents and the Rust sources, and nothing else', () => {
    const inside = files(tarballs['kraken-ws-native']);
    for (const path of ['package.json', 'README.md', 'API.md', 'LICENSE', 'index.mjs', 'index.d.mts', 'dist/index.js', 'dist/index.d.ts', 'scripts/build.mjs', 'native/Cargo.toml', 'native/Cargo.lock', 'native/core/src/lib.rs', 'native/ffi/src/lib.rs', 'native/node-binding/src/lib.rs', 'native/node-binding/build.rs']) {
      assert.ok(inside.includes(path), path);
    }
    const strange = inside.filter((path) => !/^(package\.json|[A-Z]+(\.md)?|(index|nest|redis)\.[a-z.]+|dist\/.+\.(js|d\.ts)|client-dist\/.+|scripts\/build\.mjs|native\/.+)$/.test(path));
    assert.deepEqual(strange, []);
    assert.equal(inside.some((path) => path.endsWith('.node') || path.includes('target/') || path.includes('node_modules/')), false);
  });

  test('the platform package holds one binary and says where it runs', () => {
    const inside = files(tarballs[platform]).sort();
    assert.deepEqual(inside, ['LICENSE', 'README.md', `kraken-ws-native.${triple()}.node`, 'package.json']);
    const manifest = JSON.parse(readFileSync(join(staged(platform), 'package.json'), 'utf8'));
    assert.deepEqual([manifest.os, manifest.cpu, manifest.version], [[process.platform], [process.arch], version]);
  });

  test('the root package depends on the binaries, each in exactly its own version, and on the types of Node.js', () => {
    const manifest = JSON.parse(readFileSync(join(staged('kraken-ws-native'), 'package.json'), 'utf8'));
    assert.deepEqual(manifest.optionalDependencies, { [platform]: version });
    assert.deepEqual(Object.keys(manifest.dependencies), ['@types/node']);
    assert.equal(manifest.scripts, undefined);
    assert.equal(manifest.devDependencies, undefined);
    for (const [path, entry] of Object.entries(manifest.exports)) {
      if (typeof entry === 'string') continue;
      for (const condition of Object.values(entry)) assert.equal(Object.keys(condition)[0], 'types', path);
    }
  });

  test('publint finds nothing, strictly', async () => {
    for (const name of Object.keys(tarballs)) {
      const { messages } = await publint({ pkgDir: staged(name), strict: true });
      assert.deepEqual(messages, [], name);
    }
  });

  test('the Rust sources are a workspace of which cargo knows every crate', () => {
    const text = execFileSync('cargo', ['metadata', '--offline', '--format-version', '1', '--no-deps'], {
      cwd: join(staged('kraken-ws-native'), 'native'), encoding: 'utf8',
    });
    assert.deepEqual(JSON.parse(text).packages.map(({ name }) => name).sort(), ['kraken-ws-codec', 'kraken-ws-core', 'kraken-ws-ffi', 'kraken-ws-node', 'kraken-ws-redis']);
  });

  test('installed, it serves from require and from import, and its manifest can be read', () => {
    const folder = application('plain', Object.values(tarballs));
    assert.deepEqual(readdirSync(join(folder, 'node_modules')).filter((name) => name.startsWith('kraken')).sort(), ['kraken-ws-native', platform]);
    const serve = "const io = make(0); console.log(io.httpServer.address().port > 0, typeof io.of); io.close();";
    const required = program(folder, `const make = require('kraken-ws-native'); const { Server } = make; ${serve} console.log(io instanceof Server, require('kraken-ws-native/package.json').version)`, ['--input-type=commonjs']);
    assert.equal(required.out, `true function\ntrue ${version}`, required.err);
    const imported = program(folder, `import make, { Server, Namespace, Socket, RemoteSocket, BroadcastOperator } from 'kraken-ws-native'; ${serve} console.log([Server, Namespace, Socket, RemoteSocket, BroadcastOperator].map((c) => c.name).join())`, ['--input-type=module']);
    assert.equal(imported.out, 'true function\nServer,Namespace,Socket,RemoteSocket,BroadcastOperator', imported.err);
  });

  test('without a binary all loads that needs none, and the rest says which platform, package and command', () => {
    const folder = application('bare', [tarballs['kraken-ws-native']], ['bare.cjs']);
    assert.equal(run(process.execPath, ['bare.cjs'], { cwd: folder }), 'true,true,["news",{"n":1}]\n');
    const { code, out, err } = program(folder, "const { Server } = require('kraken-ws-native'); try { new Server(0) } catch (e) { console.log(e.code); console.log(e.message) }", ['--input-type=commonjs']);
    assert.equal(code, 0, err);
    const [errorCode, first, second, third] = out.split('\n');
    assert.equal(errorCode, 'ERR_KRAKEN_WS_LOAD');
    assert.match(first, new RegExp(`no binary for this platform .*${process.platform} ${process.arch}`));
    if (process.platform === 'linux') assert.match(first, /C library (gnu|musl)/);
    assert.ok(second.includes(`npm install ${platform}@${version}`), second);
    const script = third.split(' ').at(-1);
    assert.ok(existsSync(script), third);
  });

  test('`npm pack` in the folder of the package makes one that works here, or says how to build it', () => {
    const [whole] = packPlainly();
    assert.ok(files(whole).includes(`kraken-ws-native.${triple()}.node`));
    const folder = application('by-path', [whole, 'socket.io-client@4.8.4'], ['anywhere/serve.cjs']);
    assert.equal(run(process.execPath, ['serve.cjs'], { cwd: folder }), 'true,bytes,websocket,200\n');
    assert.throws(() => packPlainly({ without: /\.node$/ }), /kraken-ws-native\..+\.node is missing. Build it first: npm run build/);
    assert.throws(() => packPlainly({ command: ['publish', '--dry-run'] }), /the binary of one platform. Publish what `make packages` packs/);
    assert.throws(() => packPlainly({ without: /^dist$/ }), /JavaScript is missing. Build it first: npm run build/);
  });

  test("typed events: what compiles against socket.io's types compiles against ours, and what does not does not", () => {
    const sources = ['events.mts', 'required.cts', 'tsconfig.json'];
    assert.equal(typeErrors(application('oracle', [], sources)), '', "socket.io's own types");
    const ours = [`socket.io@file:${tarballs['kraken-ws-native']}`, tarballs[platform]];
    assert.equal(typeErrors(application('aliased-types', ours, sources)), '', 'ours');
  });

  test('types of what only this package has', () => {
    assert.equal(typeErrors(application('own-types', Object.values(tarballs), ['ours.mts', 'tsconfig.json'])), '');
  });

  test("installed under the name socket.io it carries @nestjs/platform-socket.io's own IoAdapter", async (t) => {
    const folder = application('nest', [`socket.io@file:${tarballs['kraken-ws-native']}`, tarballs[platform]], ['nest-app.mjs']);
    lend(folder, '@nestjs/platform-socket.io');
    const { start } = await import(pathToFileURL(join(folder, 'nest-app.mjs')).href);
    const { app, gateway, port } = await start();
    const clients = [0, 1].map(() => connect(`http://127.0.0.1:${port}`, { forceNew: true, reconnection: false }));
    t.after(async () => {
      clients.forEach((client) => client.disconnect());
      await app.close();
    });
    await Promise.all(clients.map((client) => client.connected || event(client, 'connect')));
    // `stats` is ours: this is not the socket.io package.
    assert.equal(gateway.server.stats().sockets, 2);
    assert.equal(gateway.initialised, gateway.server);
    const [one, two] = clients;
    const echoed = event(one, 'echoed');
    one.emit('echo', { text: 'hello' });
    assert.deepEqual(await echoed, [{ body: { text: 'hello' }, id: one.id }]);
    assert.deepEqual(await one.emitWithAck('ask', { n: 1 }), { answer: 2 });
    const news = event(two, 'news');
    one.emit('tell', { to: 'the room' });
    assert.deepEqual(await news, [{ to: 'the room' }]);
    const refused = event(one, 'exception');
    one.emit('fail');
    assert.equal((await refused)[0].message, 'refused');
    two.disconnect();
    await until(() => gateway.left === 1, 'handleDisconnect');
  });
});
