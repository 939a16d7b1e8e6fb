// The steps of docs/migrate.md: the code of each step is run here, and compared with the page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { closeClients, connect } from '../support/clients.mjs';
import { event, record, within } from '../support/wait.mjs';
import { load, majors, requireIn } from './support/worlds.mjs';

for (const major of majors) {
  describe(`moving from socket.io · Nest ${major}`, () => {
    afterEach(() => {
      closeClients();
      delete process.env.KRAKEN_DOOR;
    });
    const noBridge = 'bindNative' in requireIn(major)('kraken-ws-native') ? false : 'this build has no bindNative';

    const startStep = async (t, step, door) => {
      const { start } = await load(major, 'apps/start.js');
      const { MovingModule, adapters } = await load(major, 'apps/migration.js');
      if (door) process.env.KRAKEN_DOOR = door;
      const { app, url } = await start(MovingModule, 'socket.io', 'express', {}, (made) =>
        made.useWebSocketAdapter(new adapters[step](made)),
      );
      t.after(() => app.close());
      return url;
    };

    const chat = async (url) => {
      const [inside, author, outside] = [await connect(url), await connect(url, { transport: 'upgrade' }), await connect(url)];
      const seen = record(outside);
      assert.equal(await within(inside.emitWithAck('joinRoom', 'r'), 'join'), true);
      const got = event(inside, 'newMessage');
      assert.equal(await within(author.emitWithAck('sendMessage', { room: 'r', content: 'hi' }), 'send'), true);
      assert.deepEqual(await got, [{ content: 'hi' }]);
      assert.deepEqual(seen, []);
    };

    for (const [title, step, needsBridge] of [
      ['step 0: the package\'s WebsocketService over the existing server', 'StepZero', false],
      ['step 1: the bridge', 'StepOne', true],
      ['step 2: the pods that are not chosen stay on the bridge', 'StepTwo', true],
      ['step 3: the server door everywhere', 'StepThree', false],
    ]) {
      test(title, { skip: needsBridge && noBridge }, async (t) => chat(await startStep(t, step)));
    }

    test('step 2: one pod on the server door, beside one that is as before', async (t) => {
      const before = await startStep(t, 'StepZero');
      const chosen = await startStep(t, 'StepTwo', 'server');
      await chat(before);
      await chat(chosen);
    });
  });
}

test('every line that the page adds is in the code that ran', () => {
  const page = readFileSync(new URL('../../docs/migrate.md', import.meta.url), 'utf8');
  const code = readFileSync(new URL('apps/migration.ts', import.meta.url), 'utf8');
  const lines = new Set(code.split('\n').map((line) => line.trim().replace(/^override /, '')));
  const added = [...page.matchAll(/```diff\n([\s\S]*?)```/g)].flatMap(([, diff]) =>
    diff.split('\n').filter((line) => line.startsWith('+')).map((line) => line.slice(1).trim()),
  );
  assert.ok(added.length > 10);
  for (const line of added) assert.ok(lines.has(line), line);
});
