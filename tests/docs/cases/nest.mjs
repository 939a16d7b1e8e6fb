// The TypeScript of the pages, compiled with --strict and run in NestJS 11.
import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { application, client, freePort, must, serve, within } from '../support/application.mjs';
import { root } from '../support/markdown.mjs';

const MAJOR = join(root, 'tests/nest/majors/11/node_modules');
const TSC = join(root, 'node-binding/node_modules/typescript/bin/tsc');
const OPTIONS = [
  '--strict', '--target', 'es2022', '--module', 'nodenext', '--experimentalDecorators', '--emitDecoratorMetadata', '--skipLibCheck',
  '--typeRoots', join(root, 'node-binding/node_modules/@types'), '--types', 'node', '--outDir', 'dist', '--rootDir', '.', '--preserveSymlinks',
];

/** A folder in which the packages of Nest 11 and the package are all of one tree, and these files compiled. */
async function compiled(t, files) {
  const folder = application(t, [], { type: 'module' });
  await must('rm', ['-r', 'node_modules'], { cwd: folder });
  symlinkSync(MAJOR, join(folder, 'node_modules'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  await must(process.execPath, [TSC, ...OPTIONS, ...Object.keys(files)], { cwd: folder });
  return folder;
}

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

export default {
  'nest-main': async (t, block) => {
    const port = await freePort();
    const text = block.text.replace('3000', String(port));
    assert.notEqual(text, block.text);
    const folder = await compiled(t, { 'main.ts': text, 'app.module.ts': APP_MODULE });
    const { url } = await serve(t, undefined, ['dist/main.js'], { cwd: folder, port });
    const one = await client(t, url);
    assert.equal(await within(one.emitWithAck('echo', 'hi'), 'echo'), 'hi');
  },
  'nest-mocks': async (t, block) => {
    const folder = await compiled(t, { 'mocks.ts': block.text });
    const program = "import 'reflect-metadata'; const { greetsOverAMock } = await import('./dist/mocks.js'); console.log(JSON.stringify(await greetsOverAMock()));";
    const out = await must(process.execPath, ['--input-type=module', '-e', program], { cwd: folder });
    assert.equal(out, '[["user:ada","notification",{"text":"hi"}]]\n');
  },
};
