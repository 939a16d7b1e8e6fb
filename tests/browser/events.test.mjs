// What the demo's server does with events that its own page never sends.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { event, record, within } from '../support/wait.mjs';
import { startDemo } from './demo.mjs';

for (const example of ['nest-chat', 'chat']) {
  describe(`events at ${example}`, { timeout: 60_000 }, () => {
    let demo;
    const clients = [];

    before(async () => {
      demo = await startDemo({ example });
    });

    after(async () => {
      for (const client of clients) client.disconnect();
      await demo?.stop();
    });

    // The plain example takes a name, the NestJS one a token for it.
    async function credentials(name) {
      if (example === 'chat') return { name };
      const { status, token, message } = await logIn({ name });
      return status === 200 ? { token } : { message };
    }

    async function logIn(body) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(new URL('/auth/login', demo.url), { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: response.status, ...(await response.json()) };
    }

    function open(auth) {
      const client = io(demo.url, { auth, transports: ['websocket'], forceNew: true, reconnection: false });
      clients.push(client);
      return client;
    }

    async function enter(name) {
      const client = open(await credentials(name));
      await event(client, 'connect');
      const snapshot = await ask(client, 'joinAll');
      assert.equal(snapshot.ok, true);
      return client;
    }

    const nextFigures = async (client) => (await event(client, 'serverFigures'))[0];
    const ask = (client, ...args) => within(client.emitWithAck(...args), args[0]);

    for (const [what, name] of [
      ['no name', undefined],
      ['a number', 7],
      ['a name of spaces', '   '],
      ['a name too long', 'x'.repeat(25)],
    ]) {
      test(`a connection with ${what} is refused`, async () => {
        const auth = await credentials(name);
        const [error] = await event(open(auth), 'connect_error');
        assert.equal(error.message, 'AUTH_FAILED');
        assert.match(auth.message ?? error.data.message, /^name: /);
      });
    }

    if (example === 'nest-chat') {
      test('a token that this server has not signed is refused', async () => {
        const { token } = await credentials('Ada');
        for (const auth of [undefined, { token: 7 }, { token: `${token}x` }, { token: 'a.b.c' }, { name: 'Ada' }]) {
          const [error] = await event(open(auth), 'connect_error');
          assert.equal(error.message, 'AUTH_FAILED');
        }
        const client = open({ token: `Bearer ${token}` });
        await event(client, 'connect');
      });

      test('what is posted over REST reaches the sockets, with a token only', async () => {
        const client = await enter('Listener');
        const { token } = await credentials('Poster');
        const url = new URL('/api/channels/random/messages', demo.url);
        const post = (content, authorization) =>
          fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
            body: JSON.stringify({ content }),
          });
        assert.equal((await post('x')).status, 401);
        assert.equal((await post('', `Bearer ${token}`)).status, 400);
        const got = event(client, 'newMessage');
        assert.equal((await post('Hello over REST', `Bearer ${token}`)).status, 201);
        const [message] = await got;
        assert.deepEqual(message.author, { id: 'poster', name: 'Poster' });
        const listed = await (await fetch(url, { headers: { authorization: token } })).json();
        assert.deepEqual(listed.at(-1), message);
        assert.deepEqual(await (await fetch(new URL('/auth/users', demo.url))).json(), ['Ada', 'Grace', 'Linus', 'Margaret']);
      });
    }

    for (const [title, name, payload, message] of [
      ['a message without payload', 'sendMessage', undefined, 'expected an object as payload'],
      ['a message to an unknown channel', 'sendMessage', { channelId: 'nope', content: 'x' }, 'channelId: no text channel "nope"'],
      ['a message to a voice channel', 'sendMessage', { channelId: 'lounge', content: 'x' }, 'channelId: no text channel "lounge"'],
      ['an empty message', 'sendMessage', { channelId: 'general', content: ' \n' }, 'content: must not be empty'],
      ['a message too long', 'sendMessage', { channelId: 'general', content: 'x'.repeat(2001) }, 'content: at most 2000 characters'],
      ['content that is no string', 'sendMessage', { channelId: 'general', content: { a: 1 } }, 'content: expected a string'],
      ['a direct message to nobody', 'sendDirectMessage', { to: 'ghost', content: 'x' }, 'to: nobody here is called "ghost"'],
      ["another user's room", 'joinRoom', 'user:ada', 'room: "user:ada" can\'t be joined by request'],
      ['a voice room', 'joinRoom', 'voice:lounge', 'room: "voice:lounge" can\'t be joined by request'],
      ['typing nowhere', 'typingStart', {}, 'channelId: expected a string'],
      ['voice in a text channel', 'voice_channel_join', { channelId: 'general' }, 'channelId: no voice channel "general"'],
      ['muting outside voice', 'voice_state_update', { muted: true }, 'not in a voice channel'],
      ['presence with a bad flag', 'presenceOnline', { idle: 'yes' }, 'idle: expected true or false'],
    ]) {
      test(`${title} is answered with an error event`, async () => {
        const client = await enter('Tester');
        const error = event(client, 'error');
        const answer = await ask(client, name, payload);
        assert.deepEqual(answer, { ok: false, error: message });
        assert.deepEqual(await error, [{ message, event: name }]);
        client.disconnect();
      });
    }

    test('more than fifty events in ten seconds are refused, others go on', async () => {
      const [noisy, calm] = [await enter('Noisy'), await enter('Calm')];
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, at) => ask(noisy, 'sendMessage', { channelId: 'random', content: `spam ${at}` })),
      );
      // joinAll was the first of the fifty.
      assert.equal(answers.filter(({ ok }) => ok).length, 49);
      assert.equal(answers.at(-1).error, 'too many events, wait a few seconds');
      assert.equal((await ask(calm, 'sendMessage', { channelId: 'random', content: 'quiet' })).ok, true);
    });

    test('a second connection of a user is not announced, only the last one to go is', async () => {
      const watcher = await enter('Sentry');
      const seen = record(watcher);
      const first = await enter('Twofold');
      const second = await enter('Twofold');
      const { connections } = await nextFigures(watcher);
      first.disconnect();
      while ((await nextFigures(watcher)).connections >= connections);
      const offline = event(watcher, 'userOffline');
      second.disconnect();
      const [gone] = await offline;
      assert.deepEqual(gone, { userId: 'twofold', name: 'Twofold' });
      const about = seen.filter(([name, user]) => /^user(On|Off)line$/.test(name) && user.userId === 'twofold');
      assert.deepEqual(about.map(([name]) => name), ['userOnline', 'userOffline']);
    });

    test('a channel keeps its newest 200 messages', async () => {
      // Each writer may send fifty events in ten seconds, joinAll included.
      for (let writer = 0; writer < 5; writer += 1) {
        const client = await enter(`Writer ${writer}`);
        for (let at = 0; at < 45; at += 1) client.emit('sendMessage', { channelId: 'engineering', content: `${writer}/${at}` });
        await ask(client, 'joinRoom', 'channel:engineering');
        client.disconnect();
      }
      const reader = await enter('Reader');
      const { messages } = await ask(reader, 'joinRoom', 'channel:engineering');
      assert.equal(messages.length, 200);
      assert.equal(messages[0].content, '0/25');
      assert.equal(messages.at(-1).content, '4/44');
      assert.deepEqual(messages.at(-1).author, { id: 'writer-4', name: 'Writer 4' });
    });

    test('only files of the page are served', async () => {
      const status = async (path, method) => (await fetch(new URL(path, demo.url), { method })).status;
      assert.equal(await status('/'), 200);
      assert.equal(await status('/vendor/socket.io.js', 'HEAD'), 200);
      assert.equal(await status('/server.mjs'), 404);
      assert.equal(await status('/%2e%2e/server.mjs'), 404);
      assert.equal(await status('/js/..%2f..%2fpackage.json'), 404);
      assert.ok([404, 405].includes(await status('/', 'POST')));
    });
  });
}
