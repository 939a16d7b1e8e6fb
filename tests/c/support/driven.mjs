// Every call of the C interface through a host that does what its clients ask for: driven_host with callbacks or polling,
// a test file each, so that they run at the same time.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { TRANSPORTS, connect, connected, open } from '../../support/clients.mjs';
import { startProxy } from '../../support/proxy.mjs';
import { event, events, record, until } from '../../support/wait.mjs';
import { LIMIT_MS, PROGRAMS, host } from './program.mjs';

export function testHost(mode) {
  describe(`a C host with ${mode}`, () => {
    const start = (t) => host(t, 'driven_host', [mode], { stop: 'stdin' });
    const ask = (client, ...args) => client.timeout(LIMIT_MS).emitWithAck(...args);

    for (const transport of Object.keys(TRANSPORTS)) {
      test(`echoes acks, events and attachments over ${transport}`, async (t) => {
        const { url } = await start(t);
        const client = await connect(url, { transport });
        const bytes = Buffer.from([0, 1, 255]);
        assert.deepEqual(await ask(client, 'echo', { a: ['ß', null, 1.5] }), { a: ['ß', null, 1.5] });
        assert.deepEqual(await ask(client, 'echo', { bytes }), { bytes });
        const back = event(client, 'echo', LIMIT_MS);
        client.emit('echo', 1, 'two', [bytes, { bytes }]);
        assert.deepEqual(await back, [1, 'two', [bytes, { bytes }]]);
        const nothing = event(client, 'echo', LIMIT_MS);
        client.emit('echo');
        assert.deepEqual(await nothing, []);
      });
    }

    test('decides about clients: at once, later, with words, without', async (t) => {
      const { url } = await start(t);
      const early = open(url, { auth: { mode: 'later' } });
      const welcome = event(early, 'welcome', LIMIT_MS);
      await connected(early);
      assert.deepEqual(await welcome, ['/'], 'what was emitted before the decision follows it');
      const refusal = (auth) => connected(open(url, { auth })).then(() => assert.fail('let in'), (error) => error);
      const refused = await refusal({ mode: 'reject' });
      assert.deepEqual([refused.message, refused.data], ['AUTH_FAILED', { code: 7 }]);
      for (const how of ['no', 'forgotten']) assert.equal((await refusal({ mode: how })).message, 'Unauthorized', how);
      assert.equal((await ask(early, 'stats')).sockets, 1);
    });

    test('sends to rooms and to all', async (t) => {
      const { url } = await start(t);
      const [a, b, c] = await Promise.all([connect(url), connect(url), connect(url)]);
      for (const client of [a, b]) assert.equal(await ask(client, 'join', 'channel:1'), true);
      const [heardA, heardC] = [record(a), record(c)];
      const bytes = Buffer.from('xyz');
      const three = (client) => Promise.all([events(client, 'note', 2, LIMIT_MS), event(client, 'bytes', LIMIT_MS)]);
      const both = Promise.all([three(a), three(b)]);
      c.emit('sendToRoom', 'channel:1', { text: 'hello' }, bytes);
      for (const got of await both) assert.deepEqual(got, [[[{ text: 'hello' }], ['again']], [bytes]]);
      const everybody = Promise.all([a, b, c].map((client) => events(client, 'note', 2, LIMIT_MS)));
      const raw = Promise.all([a, b, c].map((client) => event(client, 'bytes', LIMIT_MS)));
      a.emit('sendToAll', { n: 1 });
      for (const notes of await everybody) assert.deepEqual(notes, [[{ n: 1 }], []]);
      for (const [sent] of await raw) assert.deepEqual(sent, Buffer.from([0, 1, 2]));
      assert.equal(heardA.filter(([name]) => name === 'note').length, 4);
      assert.equal(heardC.filter(([name]) => name === 'note').length, 2, 'who is in no room hears what goes to all');
    });

    test('knows room expressions: union, except, moving, leaving, kicking', async (t) => {
      const { url } = await start(t);
      const [a, b, c] = await Promise.all([connect(url), connect(url), connect(url)]);
      await Promise.all([ask(a, 'join', 'one'), ask(b, 'join', 'one'), ask(c, 'join', 'two')]);
      assert.equal(await ask(a, 'has', 'one'), true);
      assert.equal(await ask(a, 'has', 'three'), false);
      const [heardA, heardB] = [record(a), record(b)];
      let note = event(b, 'note', LIMIT_MS);
      a.emit('publish', { rooms: 'one', except: a.id }, 'not for a');
      assert.deepEqual(await note, ['not for a']);
      await ask(b, 'leave', 'one');
      await ask(a, 'move', { rooms: 'one' }, 'two');
      note = Promise.all([event(a, 'note', LIMIT_MS), event(c, 'note', LIMIT_MS)]);
      b.emit('publish', { rooms: 'two' }, 'for two');
      assert.deepEqual(await note, [['for two'], ['for two']]);
      assert.equal(await ask(a, 'has', 'one'), false);
      const gone = event(c, 'disconnect', LIMIT_MS);
      b.emit('kick', { rooms: 'two', except: a.id });
      assert.deepEqual((await gone)[0], 'io server disconnect');
      assert.deepEqual(heardA.filter(([name]) => name === 'note'), [['note', 'for two']]);
      assert.deepEqual(heardB.filter(([name]) => name === 'note'), [['note', 'not for a']]);
    });

    test('asks clients and gets their acks, or hears that there are none', async (t) => {
      const { url } = await start(t);
      const [a, b] = await Promise.all([connect(url), connect(url)]);
      const listening = (client, reply) => client.on('question', (q, ack) => reply && ack(reply(q), 'more'));
      // Everybody hears of every answer.
      const heard = [];
      b.on('answered', (answer) => heard.push(answer));
      const answerTo = async (id) => {
        await until(() => heard.some((answer) => answer.id === id), `answer ${id}`, LIMIT_MS);
        const { id: _, ...answer } = heard.find((found) => found.id === id);
        return answer;
      };
      const one = { expected: 0, attachments: 0 };
      listening(a, (q) => ({ a: q }));
      const got = await answerTo(await ask(a, 'ask', 'why'));
      assert.deepEqual(got, { ...one, timedOut: false, answers: [{ a: 'why' }, 'more'] });
      const none = await answerTo(await ask(b, 'ask', 'silence'));
      assert.deepEqual(none, { ...one, timedOut: true, answers: [] });
      listening(b, () => Buffer.from('b'));
      const all = await answerTo(await ask(b, 'askAll', 'all'));
      assert.deepEqual({ ...all, answers: all.answers.length }, { timedOut: false, expected: 2, attachments: 1, answers: 2 });
      assert.equal(await ask(a, 'later'), 'later', 'an ack that another thread gives');
    });

    test('hears at once that nobody answers any more, and why', async (t) => {
      const { url } = await start(t);
      const watching = await connect(url);
      const ends = {
        'client namespace disconnect': (client) => client.disconnect(),
        'transport close': (client) => client.io.engine.close(),
        'server namespace disconnect': (client) => watching.emit('kick', { rooms: client.id }),
      };
      for (const [reason, end] of Object.entries(ends)) {
        const client = await connect(url);
        const id = await ask(client, 'askPatiently', 'why');
        const answered = event(watching, 'answered', LIMIT_MS);
        end(client);
        const [answer] = await answered;
        assert.deepEqual([answer.id, answer.gone, answer.answers], [id, reason, []]);
      }
    });

    test('ends a client that upgrades over a slow network: it hears what was sent before, and why', async (t) => {
      const { url } = await start(t);
      const proxy = await startProxy(t, Number(new URL(url).port));
      proxy.delay(20);
      const judge = await connect(url);
      const moments = [0, 15, 30, 45, 60, 75, 90, 120, 160];
      const ended = moments.map(async (moment) => {
        const client = open(proxy.url, { transport: 'upgrade' });
        const heard = [];
        client.on('note', (note) => heard.push(note));
        const end = event(client, 'disconnect', LIMIT_MS);
        await connected(client);
        await delay(moment);
        judge.emit('ban', { rooms: client.id }, 'banned');
        const [reason] = await end;
        return [heard.at(-1), reason, client.active];
      });
      assert.deepEqual(await Promise.all(ended), moments.map(() => ['banned', 'io server disconnect', false]));
    });

    test('shows who is there', async (t) => {
      const { url } = await start(t);
      const a = await connect(url, { auth: { mode: 'x', name: 'ada' } });
      const b = await connect(url);
      await ask(a, 'join', 'one');
      await ask(a, 'data', { user: 7 });
      const found = await ask(b, 'fetch', { rooms: 'one' });
      assert.deepEqual(found, [{ id: a.id, data: { user: 7 }, auth: { mode: 'x', name: 'ada' }, rooms: found[0].rooms }]);
      assert.deepEqual(found[0].rooms.sort(), [a.id, 'one'].sort());
      assert.equal((await ask(b, 'fetch', {})).length, 2);
      const gone = event(b, 'gone', LIMIT_MS);
      const id = a.id;
      a.disconnect();
      assert.deepEqual((await gone)[0], { id, reason: 'client namespace disconnect' });
      const stats = await ask(b, 'stats');
      assert.deepEqual([stats.sockets, stats.events], [1, 3]);
    });

    test('serves namespaces that it made and no others', async (t) => {
      const { url } = await start(t);
      const main = await connect(url);
      const other = open(`${url}/other`);
      assert.deepEqual(await event(other, 'welcome', LIMIT_MS), ['other']);
      assert.equal(await ask(other, 'echo', 5), 5);
      const back = event(other, 'echo', LIMIT_MS);
      other.emit('echo', 6);
      assert.deepEqual(await back, [6]);
      assert.equal(await ask(main, 'echo', 7), 7);
      await assert.rejects(connected(open(`${url}/nowhere`)), { message: 'Invalid namespace' });
    });

    test('answers HTTP outside its path', async (t) => {
      const { url } = await start(t);
      const response = await fetch(`${url}/post`, { method: 'POST', body: 'body ß' });
      assert.deepEqual([response.status, response.headers.get('content-type'), await response.text()], [201, 'text/plain', 'body ß']);
      assert.equal((await fetch(`${url}/nothing`)).status, 404);
    });

    test('decides about handshakes: at once, later, with headers and words', async (t) => {
      const { url } = await start(t);
      const shake = (query) => fetch(`${url}/socket.io/?EIO=4&transport=polling&${query}`);
      const refused = async (query) => {
        const response = await shake(query);
        return [response.status, await response.json()];
      };
      assert.deepEqual(await refused('allow=words'), [403, { code: 4, message: 'not today' }]);
      assert.deepEqual(await refused('allow=no'), [403, { code: 4, message: 'Forbidden' }]);
      assert.deepEqual(await refused('allow=forgotten'), [403, { code: 4, message: 'Forbidden' }]);
      for (const [query, header] of [['allow=header', 'x-handshake'], ['allow=later', 'x-later']]) {
        const response = await shake(query);
        assert.deepEqual([response.status, response.headers.get(header)], [200, 'yes'], query);
      }
      await connect(url, { query: { allow: 'later' } });
      await assert.rejects(connected(open(url, { query: { allow: 'no' } })));
    });

    test('gives headers to later responses and to upgrades', async (t) => {
      const { url } = await start(t);
      for (const [query, header] of [['headers=yes', 'x-later-response'], ['headers=later', 'x-later']]) {
        const base = `${url}/socket.io/?EIO=4&transport=polling`;
        const opening = await fetch(base);
        const { sid } = JSON.parse((await opening.text()).slice(1));
        const response = await fetch(`${base}&sid=${sid}&${query}`, { method: 'POST', body: '40' });
        assert.deepEqual([response.status, response.headers.get(header)], [200, 'yes'], query);
        assert.equal(opening.headers.get(header), null);
      }
      await connect(url, { transport: 'polling', query: { headers: 'later' } });
    });

    test('stands before the engine', async (t) => {
      const { url } = await start(t);
      const base = `${url}/socket.io/?EIO=4&transport=polling`;
      const answered = await fetch(`${base}&engine=answer`);
      assert.deepEqual([answered.status, answered.headers.get('x-engine'), await answered.text()], [418, 'no', 'teapot']);
      const refused = await fetch(`${base}&engine=no`);
      assert.deepEqual([refused.status, (await refused.json()).code], [400, 3]);
      const passed = await fetch(`${base}&engine=header`);
      assert.deepEqual([passed.status, passed.headers.get('x-engine')], [200, 'yes']);
      await assert.rejects(connected(open(url, { query: { engine: 'answer' } })));
    });

    test('hears of rooms: first member, members, last member gone', async (t) => {
      const { url } = await start(t);
      const [a, b] = await Promise.all([connect(url), connect(url)]);
      const { id } = b;
      await ask(a, 'join', 'one');
      await ask(b, 'join', 'one');
      await ask(a, 'leave', 'one');
      b.disconnect();
      const expected = ['created one by -', `joined one by ${a.id}`, `joined one by ${id}`, `left one by ${a.id}`, `left one by ${id}`, 'deleted one by -'].join();
      let heard;
      await until(async () => (heard = await ask(a, 'rooms')).endsWith('deleted one by -'), 'the end of the room', LIMIT_MS);
      assert.equal(heard, expected);
    });

    test('hears of a refused request in its log', { skip: mode === 'poll' && 'a log comes by callback' }, async (t) => {
      const { url } = await start(t);
      const client = await connect(url);
      assert.equal((await fetch(`${url}/socket.io/?EIO=4&transport=carrier-pigeon`)).status, 400);
      await until(async () => (await ask(client, 'stats')).logged > 0, 'a line in the log', LIMIT_MS);
    });

    test('holds a module to the rules and names it', async (t) => {
      const { url } = await host(t, 'driven_host', [mode, join(PROGRAMS, 'odd_module.so')], { stop: 'stdin' });
      const client = await connect(url);
      assert.deepEqual(await ask(client, 'echo', 'first'), 'replaced');
      assert.deepEqual(await ask(client, 'echo', 'second'), 'replaced');
      const busy = await ask(client, 'odd:unload');
      assert.deepEqual(busy, { status: 19, error: 'module odd: module odd: a call of it is under way' });
      const broken = await ask(client, 'odd:replace', 1);
      assert.equal(broken.status, 5);
      assert.match(broken.error, /^module odd: payload: no JSON/);
      await assert.rejects(client.timeout(200).emitWithAck('odd:drop'), 'a dropped event has no answer');
      const [figures] = await ask(client, 'modules');
      assert.deepEqual([figures.name, figures.calls, figures.dropped, figures.replaced], ['odd', 6, 3, 2]);
      assert.equal(await ask(client, 'unload', 'odd'), 0);
      assert.equal(await ask(client, 'echo', 'as it is'), 'as it is');
      assert.equal(await ask(client, 'unload', 'odd'), 18);
    });

    test('drops a module with the server, also one that keeps an event of it', async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'kraken-module-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const { url, end } = await host(t, 'driven_host', [mode, join(PROGRAMS, 'guest_module.so'), join(folder, 'farewell')], { stop: 'stdin' });
      const client = await connect(url);
      client.emit('keep');
      assert.deepEqual(await ask(client, 'who'), [client.id, '/']);
      await end();
      assert.ok(existsSync(join(folder, 'farewell')));
    });

    test('shuts down from within a callback', async (t) => {
      const { url, end } = await start(t);
      const client = await connect(url);
      const gone = event(client, 'disconnect', LIMIT_MS);
      client.emit('reenter');
      await gone;
      assert.match((await end()).stdout, /made 1, freed 1\n$/);
    });

    test('gives every pointer of a socket back, also of those that are there at the end', async (t) => {
      const { url, end } = await start(t);
      const clients = await Promise.all(Array.from({ length: 20 }, () => connect(url)));
      clients.slice(0, 10).forEach((client) => client.disconnect());
      clients[10].emit('leaveMe');
      await event(clients[10], 'disconnect', LIMIT_MS);
      assert.match((await end()).stdout, /made 20, freed 20\n$/);
    });
  });
}

