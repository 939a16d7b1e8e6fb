// The TypeScript of the pages, compiled with --strict and run in NestJS 11.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { application, client, freePort, must, serve, within } from '../support/application.mjs';
import { atEnd } from '../support/at-end.mjs';
import { blocks, root } from '../support/markdown.mjs';

const BINDING = join(root, 'node-binding');
const NEST = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', '@nestjs/testing', '@nestjs/websockets', 'reflect-metadata', 'rxjs'];
const MAJOR = join(root, 'tests/nest/majors/11/node_modules');
const TSC = join(root, 'node-binding/node_modules/typescript/bin/tsc');
const OPTIONS = [
  '--strict', '--target', 'es2022', '--module', 'nodenext', '--experimentalDecorators', '--emitDecoratorMetadata', '--skipLibCheck',
  '--typeRoots', join(root, 'node-binding/node_modules/@types'), '--types', 'node', '--outDir', 'dist', '--rootDir', '.',
];

const APP_MODULE = `import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

@WebSocketGateway()
class Gateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() text: string): string {
    return text;
  }
}

@Module({ providers: [Gateway] })
export class AppModule {}
`;

const PAGES = ['docs/nest.md', 'docs/testing.md', 'node-binding/README.md'];

// All blocks are compiled at once, each text to a file of its own; the port is chosen when it runs.
let once;
const compiled = () => (once ??= compile());
const fileOf = (text) => `block-${createHash('sha1').update(text).digest('hex').slice(0, 8)}`;

async function compile() {
  const folder = application({ after: atEnd }, NEST, { type: 'module', from: [MAJOR] });
  // A copy: what it requires of Nest is then the application's, not that of its own tests.
  const copy = join(folder, 'node_modules/kraken-ws-native');
  unlinkSync(copy);
  mkdirSync(copy);
  const { files } = JSON.parse(readFileSync(join(BINDING, 'package.json'), 'utf8'));
  for (const name of ['package.json', ...files.filter((one) => /^(dist|(index|nest|redis)\..+)$/.test(one))]) cpSync(join(BINDING, name), join(copy, name), { recursive: true });
  for (const name of readdirSync(BINDING).filter((one) => one.endsWith('.node'))) symlinkSync(join(BINDING, name), join(copy, name));
  const sources = new Map([['app.module.ts', APP_MODULE]]);
  for (const { text } of PAGES.flatMap(blocks).filter(({ language }) => language === 'ts')) {
    sources.set(`${fileOf(text)}.ts`, text.replace('listen(3000)', 'listen(Number(process.env.PORT))'));
  }
  for (const [name, text] of sources) writeFileSync(join(folder, name), text);
  await must(process.execPath, [TSC, ...OPTIONS, ...sources.keys()], { cwd: folder });
  return folder;
}

export default {
  'nest-main': async (t, { text }) => {
    assert.match(text, /listen\(3000\)/);
    const folder = await compiled();
    const port = await freePort();
    const { url } = await serve(t, undefined, [`dist/${fileOf(text)}.js`], { cwd: folder, port, env: { PORT: String(port) } });
    const one = await client(t, url);
    assert.equal(await within(one.emitWithAck('echo', 'hi'), 'echo'), 'hi');
  },
  'nest-mocks': async (t, { text }) => {
    const folder = await compiled();
    const program = `import 'reflect-metadata'; const { greetsOverAMock } = await import('./dist/${fileOf(text)}.js'); console.log(JSON.stringify(await greetsOverAMock()));`;
    const out = await must(process.execPath, ['--input-type=module', '-e', program], { cwd: folder });
    assert.equal(out, '[["user:ada","notification",{"text":"hi"}]]\n');
  },
};
