// The examples of ffi/examples, run as a reader would run them, with real clients.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, connected, open } from '../support/clients.mjs';
import { event, record, until } from '../support/wait.mjs';
import { LIMIT_MS, PROGRAMS, host } from './support/program.mjs';

const PUBLIC = fileURLToPath(new URL('../../node-binding/examples/chat/public', import.meta.url));
const require = createRequire(import.meta.url);
const BUNDLE = join(dirname(require.resolve('socket.io-client/package.json')), 'dist/socket.io.esm.min.js');
const ask = (client, ...args) => client.timeout(LIMIT_MS).emitWithAck(...args);

test('broadcast sends to the room and to all', async (t) => {
  const { url } = await host(t, 'broadcast', ['0'], { dies: true });
  const client = await connect(url);
  const both = Promise.all([event(client, 'newMessage', LIMIT_MS), event(client, 'notification', LIMIT_MS)]);
  for (const [payload] of await both) assert.match(payload.content, /^message \d+$/);
});

test('epoll_host echoes from its own loop', async (t) => {
  const { url } = await host(t, 'epoll_host', ['0']);
  await assert.rejects(connected(open(url)), { message: 'AUTH_FAILED' });
  const client = await connect(url, { auth: { name: 'ada' } });
  assert.deepEqual(await ask(client, 'any', { a: 1 }), { a: 1 });
  const back = event(client, 'thing', LIMIT_MS);
  client.emit('thing', 'x');
  assert.deepEqual(await back, ['x']);
  assert.equal(typeof (await event(client, 'time', LIMIT_MS))[0], 'number');
});

for (const program of ['chat_host', 'chat_host_cpp']) {
  describe(program, () => {
    const serve = (t, ...module) => host(t, program, ['0', PUBLIC, BUNDLE, ...module]);
    const join_ = (url, name) => connect(url, { auth: { name } });

    test('serves the page of the demo and its client', async (t) => {
      const { url } = await serve(t);
      const page = await fetch(`${url}/`);
      assert.match(page.headers.get('content-type'), /^text\/html/);
      assert.match(await page.text(), /<title>Kraken<\/title>/);
      for (const [path, type] of [['/js/main.js', 'text/javascript'], ['/style/theme.css', 'text/css'], ['/logo.svg', 'image/svg+xml'], ['/vendor/socket.io.js', 'text/javascript']]) {
        const file = await fetch(url + path);
        assert.deepEqual([file.status, file.headers.get('content-type').split(';')[0]], [200, type], path);
      }
      for (const path of ['/nothing', '/js/%2e%2e/%2e%2e/server.mjs', '/js', '/js/..%2fmain.js']) {
        assert.equal((await fetch(url + path)).status, 404, path);
      }
    });

    test('is a chat: sign-in, presence, messages, history, typing, direct messages, voice', async (t) => {
      const { url } = await serve(t);
      const refused = await connected(open(url, { auth: { name: '' } })).catch((error) => error);
      assert.equal(refused.message, 'AUTH_FAILED');
      const ada = await join_(url, 'Ada');
      const heard = record(ada);
      const bob = await join_(url, 'Bob B');
      // Behind her own, which may have come before `record`.
      const bobs = ([name, payload]) => name === 'userOnline' && payload.userId === 'bob-b';
      await until(() => heard.some(bobs), 'userOnline of Bob', LIMIT_MS);
      assert.deepEqual(heard.find(bobs)[1], { userId: 'bob-b', name: 'Bob B', idle: false });
      const snapshot = await ask(ada, 'joinAll');
      assert.deepEqual([snapshot.ok, snapshot.me], [true, { id: 'ada', name: 'Ada' }]);
      assert.deepEqual(snapshot.online.map((user) => user.userId).sort(), ['ada', 'bob-b']);
      await ask(bob, 'joinAll');

      const message = event(bob, 'newMessage', LIMIT_MS);
      const sent = await ask(ada, 'sendMessage', { channelId: 'general', content: 'say "hi" ß\n' });
      assert.equal(sent.ok, true);
      const [got] = await message;
      assert.deepEqual([got.id, got.channelId, got.author, got.content], [sent.id, 'general', { id: 'ada', name: 'Ada' }, 'say "hi" ß\n']);
      assert.deepEqual((await ask(bob, 'joinRoom', 'channel:general')).messages, [got]);

      const typing = event(bob, 'userTyping', LIMIT_MS);
      ada.emit('typingStart', { channelId: 'general' });
      assert.deepEqual((await typing)[0], { channelId: 'general', userId: 'ada', name: 'Ada', isTyping: true });
      const direct = event(bob, 'newDirectMessage', LIMIT_MS);
      assert.equal((await ask(ada, 'sendDirectMessage', { to: 'bob-b', content: 'psst' })).ok, true);
      assert.equal((await direct)[0].content, 'psst');

      const voice = event(bob, 'voiceChannelUserJoined', LIMIT_MS);
      assert.deepEqual(await ask(ada, 'voice_channel_join', { channelId: 'lounge', muted: true }), { ok: true, channelId: 'lounge', muted: true });
      assert.deepEqual((await voice)[0], { channelId: 'lounge', userId: 'ada', name: 'Ada', muted: true });
      assert.equal((await ask(bob, 'joinAll')).voice.length, 1);

      const error = event(bob, 'error', LIMIT_MS);
      assert.deepEqual((await ask(bob, 'sendMessage', { channelId: 'nowhere', content: 'x' })).ok, false);
      assert.match((await error)[0].message, /channelId/);
      assert.equal((await ask(bob, 'sendMessage', 'no object')).ok, false);
      assert.equal((await ask(bob, 'sendMessage')).ok, false);

      const left = Promise.all([event(bob, 'voiceChannelUserLeft', LIMIT_MS), event(bob, 'userOffline', LIMIT_MS)]);
      ada.disconnect();
      assert.deepEqual((await left).map(([payload]) => payload.userId), ['ada', 'ada']);
      assert.equal(heard.filter(([name]) => name === 'userTyping').length, 0, 'not to the one who types');
    });

    test('loads a module that filters messages and clients', async (t) => {
      const { url } = await serve(t, join(PROGRAMS, 'profanity_module.so'), 'darn', 'heck');
      const client = await join_(url, 'Ada');
      const refused = await connected(open(url, { auth: { name: 'Heckler' } })).catch((error) => error);
      assert.deepEqual([refused.message, refused.data], ['AUTH_FAILED', { message: 'name: mind your language' }]);
      await ask(client, 'joinAll');
      const message = event(client, 'newMessage', LIMIT_MS);
      await ask(client, 'sendMessage', { channelId: 'general', content: 'Darn it, what the HECK' });
      assert.equal((await message)[0].content, '**** it, what the ****');
      assert.equal((await ask(client, 'sendMessage', { channelId: 'general', content: 'fine' })).ok, true);
    });
  });
}
