// Runs the demo as a user does, in a process of its own: the NestJS application, or with DEMO=chat the plain
// Node example, which has the same page.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../support/wait.mjs';

const SERVERS = { 'nest-chat': 'nest-chat/dist/nest-chat/src/main.mjs', chat: 'chat/server.mjs' };
const START_MS = 15_000;
const STOP_MS = 10_000;

/** Resolves with `{ url, port, stop }` once the demo has printed its address. */
export async function startDemo({ port = 0, example = process.env.DEMO ?? 'nest-chat' } = {}) {
  const server = new URL(`../../node-binding/examples/${SERVERS[example]}`, import.meta.url);
  const child = spawn(process.execPath, [fileURLToPath(server)], {
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', NODE_TEST_CONTEXT: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  const exited = once(child, 'close');
  const printed = new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
      if (stdout.includes('\n')) resolve();
    });
    child.once('close', (code) => reject(new Error(`the demo ended with code ${code}\n${stdout}${stderr}`)));
  });

  try {
    await within(printed, 'start of the demo', START_MS);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const [, url] = /^Kraken demo: (http:\/\/127\.0\.0\.1:\d+\/)\n$/.exec(stdout) ?? [];
  if (!url) {
    child.kill('SIGKILL');
    assert.fail(`unexpected first line: ${JSON.stringify(stdout)}`);
  }

  return {
    url,
    port: Number(new URL(url).port),
    /** Asks the demo to end, as Ctrl-C does, and checks that it does so by itself. */
    async stop() {
      child.kill('SIGTERM');
      try {
        const [code, signal] = await within(exited, 'exit of the demo after SIGTERM', STOP_MS);
        assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
        assert.equal(stdout, `Kraken demo: ${url}\n`, 'the demo prints its address and nothing else');
      } finally {
        if (child.exitCode === null) child.kill('SIGKILL');
      }
    },
  };
}
