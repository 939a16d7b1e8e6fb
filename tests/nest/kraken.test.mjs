// A backend like Kraken's: the same tests over the same gateways on socket.io, on the bridge, on the server.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { closeClients, connect, connected, open } from '../support/clients.mjs';
import { event, record, until, within } from '../support/wait.mjs';
import { everywhere } from './support/worlds.mjs';

everywhere('Kraken', ({ door, load }) => {
  let kraken;
  before(async () => {
    const { startKraken } = await load('kraken/app.js');
    kraken = await startKraken(door);
  });
  beforeEach(() => kraken.forgetConnections());
  afterEach(() => closeClients());
  after(() => kraken?.app.close());

  const rest = async (method, path, body) => {
    const response = await fetch(`${kraken.url}/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    assert.equal(response.status, 200);
    return response.json();
  };
  const tokenOf = async (user) => (await rest('POST', 'login', { user })).token;
  const enter = async (user) => connect(kraken.url, { auth: { token: await tokenOf(user) } });
  const joined = async (user) => {
    const client = await enter(user);
    await ask(client, 'joinAll');
    return client;
  };
  const ask = (client, ...args) => within(client.emitWithAck(...args), args[0]);
  const refusal = async (client, ...args) => {
    const refused = event(client, 'exception');
    client.emit(...args);
    const [{ status, message }] = await refused;
    assert.equal(status, 'error');
    return message;
  };

  test('a token is taken from auth and from the header, with and without Bearer', async () => {
    const token = await tokenOf('ada');
    for (const options of [
      { auth: { token } },
      { auth: { token: `Bearer ${token}` } },
      { extraHeaders: { authorization: token } },
      { extraHeaders: { authorization: `Bearer ${token}` } },
    ]) {
      const client = await connect(kraken.url, options);
      assert.deepEqual(await ask(client, 'joinAll'), ['community:sea', 'general', 'lounge', 'user:ada']);
    }
  });

  test('no token, a bad one, an old one and one of nobody are refused', async () => {
    const { Auth } = await load('kraken/auth.js');
    for (const auth of [
      {},
      { token: 'nonsense' },
      { token: `Bearer ${await tokenOf('ghost')}` },
      { token: kraken.app.get(Auth).tokenFor('ada', -1) },
    ]) {
      await assert.rejects(connected(open(kraken.url, { auth })), { message: 'AUTH_FAILED' });
    }
  });

  test('the eleventh connection of an address within a minute is refused', async () => {
    const token = await tokenOf('ada');
    for (let at = 0; at < 10; at += 1) await connect(kraken.url, { auth: { token } });
    await assert.rejects(connected(open(kraken.url, { auth: { token } })), { message: 'RATE_LIMITED' });
  });

  test('long-polling is not among the gateways\' transports', async () => {
    await assert.rejects(connected(open(kraken.url, { transport: 'polling', auth: { token: await tokenOf('ada') } })));
  });

  test('the fifty-first event of a socket in ten seconds is refused, others go on', async () => {
    const [noisy, calm] = [await joined('ada'), await joined('ada')];
    const refused = event(noisy, 'exception');
    const sent = Array.from({ length: 49 }, () => ask(noisy, 'joinRoom', 'general'));
    await Promise.all(sent);
    noisy.emit('joinRoom', 'general');
    assert.equal((await refused)[0].message, 'Too many requests');
    assert.equal(await ask(calm, 'joinRoom', 'general'), true);
  });

  test('a message reaches the members of its channel, the author too, and its id is the answer', async () => {
    const [ada, grace, eve] = [await joined('ada'), await joined('grace'), await joined('eve')];
    const seen = record(eve);
    const got = [event(ada, 'newMessage'), event(grace, 'newMessage')];
    const id = await ask(ada, 'sendMessage', { channelId: 'general', content: 'Ahoi 🐙', ignored: 1 });
    for (const [{ message }] of await Promise.all(got)) {
      const { sentAt, ...rest } = message;
      assert.deepEqual(rest, { id, channelId: 'general', authorId: 'ada', content: 'Ahoi 🐙' });
      assert.ok(Math.abs(Date.parse(sentAt) - Date.now()) < 10_000);
    }
    assert.deepEqual(seen, []);
  });

  test('access depends on the payload\'s channelId', async () => {
    const eve = await joined('eve');
    for (const [name, payload] of [
      ['sendMessage', { channelId: 'general', content: 'let me in' }],
      ['typingStart', { channelId: 'general' }],
      ['joinRoom', 'general'],
      ['sendMessage', { channelId: 'nowhere', content: 'x' }],
    ]) {
      assert.equal(await refusal(eve, name, payload), 'Forbidden resource');
    }
  });

  test('access depends on the payload\'s messageId: authors and moderators remove', async () => {
    const [ada, grace, linus] = [await joined('ada'), await joined('grace'), await joined('linus')];
    const send = (content) => ask(ada, 'sendMessage', { channelId: 'general', content });
    const [first, second] = [await send('one'), await send('two')];
    assert.equal(await refusal(linus, 'removeMessage', { messageId: first }), 'Forbidden resource');
    for (const [client, messageId] of [[ada, first], [grace, second]]) {
      const deleted = event(linus, 'deleteMessage');
      assert.equal(await ask(client, 'removeMessage', { messageId }), true);
      assert.deepEqual(await deleted, [{ messageId, channelId: 'general' }]);
    }
    assert.equal(await refusal(ada, 'removeMessage', { messageId: first }), 'Forbidden resource');
  });

  test('payloads are validated', async () => {
    const ada = await joined('ada');
    for (const [payload, message] of [
      [{ channelId: 'general' }, /content must be a string/],
      [{ channelId: 'general', content: '' }, /content should not be empty/],
      [{ channelId: 'general', content: 'x'.repeat(2001) }, /content must be shorter than or equal to 2000/],
      [{ content: 'x' }, /channelId must be a string/],
      [{ channelId: { $ne: 1 }, content: 'x' }, /channelId must be a string/],
    ]) {
      assert.match(await refusal(ada, 'sendMessage', payload), message);
    }
  });

  test('typing is shown to the others of the channel, not to the typist', async () => {
    const [ada, grace] = [await joined('ada'), await joined('grace')];
    const seen = record(ada);
    for (const [name, isTyping] of [['typingStart', true], ['typingStop', false]]) {
      const typing = event(grace, 'userTyping');
      ada.emit(name, { channelId: 'general' });
      assert.deepEqual(await typing, [{ userId: 'ada', channelId: 'general', isTyping }]);
    }
    await ask(ada, 'joinRoom', 'general');
    assert.deepEqual(seen, []);
  });

  test('a direct message reaches every connection of both and nobody else', async () => {
    const [ada, phone, grace, linus] = [await joined('ada'), await joined('ada'), await joined('grace'), await joined('linus')];
    const seen = record(linus);
    const got = [ada, phone, grace].map((client) => event(client, 'newDirectMessage'));
    assert.equal(await ask(grace, 'sendDirectMessage', { to: 'ada', content: 'psst' }), 'dm:ada-grace');
    for (const args of await Promise.all(got)) assert.deepEqual(args, [{ from: 'grace', to: 'ada', content: 'psst' }]);
    assert.deepEqual(seen, []);
  });

  test('leaving a channel ends its events', async () => {
    const [ada, grace] = [await joined('ada'), await joined('grace')];
    assert.equal(await ask(grace, 'leaveRoom', 'general'), true);
    const seen = record(grace);
    await ask(ada, 'sendMessage', { channelId: 'general', content: 'without grace' });
    const got = event(grace, 'newMessage');
    await ask(ada, 'sendMessage', { channelId: 'lounge', content: 'with grace' });
    assert.equal((await got)[0].message.content, 'with grace');
    assert.equal(seen.length, 1);
  });

  test('a user goes online with the first connection and offline with the last', async () => {
    const watcher = await joined('grace');
    const seen = record(watcher);
    const [laptop, phone] = [await enter('ada'), await enter('ada')];
    assert.deepEqual(await ask(laptop, 'presenceOnline', { idle: true }), { online: ['ada'] });
    assert.deepEqual(await ask(phone, 'presenceOnline', {}), { online: ['ada'] });
    assert.match(await refusal(phone, 'presenceOnline', { idle: 'yes' }), /idle must be a boolean/);
    laptop.disconnect();
    await until(async () => (await rest('GET', 'rooms/user:ada')).length === 1, 'the laptop is gone');
    assert.deepEqual(seen, [['userOnline', { userId: 'ada', idle: true }]]);
    const offline = event(watcher, 'userOffline');
    phone.disconnect();
    assert.deepEqual(await offline, [{ userId: 'ada' }]);
    assert.equal(seen.length, 2);
  });

  test('webhooks bring users into voice and out, clients renew', async () => {
    const [ada, grace] = [await joined('ada'), await joined('grace')];
    const hook = (name, userId) => rest('POST', 'webhooks/voice', { event: name, userId, channelId: 'lounge' });
    const own = event(ada, 'voiceChannelUserJoined');
    await hook('participant_joined', 'ada');
    assert.deepEqual(await own, [{ userId: 'ada', channelId: 'lounge' }]);
    const joinedToo = event(ada, 'voiceChannelUserJoined');
    await hook('participant_joined', 'grace');
    assert.deepEqual(await joinedToo, [{ userId: 'grace', channelId: 'lounge' }]);
    assert.equal(await ask(grace, 'voice_presence_refresh', { channelId: 'lounge' }), true);
    const left = event(ada, 'voiceChannelUserLeft');
    await hook('participant_left', 'grace');
    assert.deepEqual(await left, [{ userId: 'grace', channelId: 'lounge' }]);
    assert.equal(await refusal(grace, 'voice_presence_refresh', { channelId: 'lounge' }), 'not in this voice channel');
    assert.deepEqual(await rest('GET', 'rooms/voice:lounge'), ['ada']);
    await hook('participant_left', 'ada');
  });

  test('REST moves users between rooms while they are connected', async () => {
    const [ada, eve] = [await joined('ada'), await joined('eve')];
    await rest('POST', 'communities/sea/members/eve');
    assert.deepEqual(await rest('GET', 'rooms/general'), ['ada', 'eve']);
    const got = event(eve, 'newMessage');
    await ask(ada, 'sendMessage', { channelId: 'general', content: 'welcome' });
    assert.equal((await got)[0].message.content, 'welcome');
    const notified = event(eve, 'notification');
    await rest('DELETE', 'communities/sea/members/eve');
    assert.deepEqual(await notified, [{ removedFrom: 'sea' }]);
    assert.deepEqual(await rest('GET', 'rooms/general'), ['ada']);
    assert.equal(await refusal(eve, 'joinRoom', 'general'), 'Forbidden resource');
  });

  test('a banned user\'s connections are closed, all of them and nobody else\'s', async () => {
    const [laptop, phone, grace] = [await joined('ada'), await joined('ada'), await joined('grace')];
    const gone = [event(laptop, 'disconnect'), event(phone, 'disconnect')];
    await rest('DELETE', 'sessions/ada');
    for (const [reason] of await Promise.all(gone)) assert.equal(reason, 'io server disconnect');
    assert.equal(await ask(grace, 'joinRoom', 'general'), true);
    assert.deepEqual(await rest('GET', 'rooms/user:ada'), []);
  });

  test('nothing was logged as an error', () => {
    assert.deepEqual(kraken.errors, []);
  });
});

everywhere('Kraken with short leases', ({ door, load }) => {
  test('a user whose lease runs out goes offline while connected, and online again when it is renewed', async (t) => {
    const { startKraken } = await load('kraken/app.js');
    const { Auth } = await load('kraken/auth.js');
    const kraken = await startKraken(door, 200);
    t.after(() => kraken.app.close());
    t.after(() => closeClients());
    const enter = (user) => connect(kraken.url, { auth: { token: kraken.app.get(Auth).tokenFor(user) } });
    const [watcher, ada] = [await enter('grace'), await enter('ada')];
    for (let round = 0; round < 2; round += 1) {
      const online = event(watcher, 'userOnline');
      const offline = event(watcher, 'userOffline');
      ada.emit('presenceOnline', {});
      assert.deepEqual(await online, [{ userId: 'ada', idle: false }]);
      assert.deepEqual(await offline, [{ userId: 'ada' }]);
      assert.equal(ada.connected, true);
    }
  });
});
