// What gateways may use of Nest, used by real clients: the same with each adapter.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { closeClients, connect, connected, open } from '../support/clients.mjs';
import { event, events, record, until, within } from '../support/wait.mjs';
import { everywhere } from './support/worlds.mjs';

everywhere('gateways', ({ door, load }) => {
  let started;
  let features;
  let client;
  const ask = (...args) => within(client.emitWithAck(...args), args[0]);

  before(async () => {
    const { start } = await load('apps/start.js');
    features = await load('apps/features.js');
    // The doors of a major share the module.
    features.journal.length = 0;
    started = await start(features.FeaturesModule, door);
  });
  beforeEach(async () => {
    client = await connect(started.url, { auth: { name: 'ada' } });
    started.errors.length = 0;
  });
  afterEach(() => closeClients());
  after(async () => {
    await started?.app.close();
  });

  test('what a handler returns is the acknowledgement, promises and observables too', async () => {
    for (const body of [0, '', false, 'text', [1, 2], { deep: [{ x: null }] }]) {
      assert.deepEqual(await ask('echo', body), body);
      assert.deepEqual(await ask('later', body), body);
    }
    assert.equal(await ask('one', 1), 'just one');
    const bytes = await ask('echo', { bytes: Buffer.from([1, 2, 3]) });
    assert.deepEqual([...bytes.bytes], [1, 2, 3]);
  });

  test('several arguments arrive as an array, none as undefined', async () => {
    assert.deepEqual(await ask('echo', 1, 'two', { three: 3 }), [1, 'two', { three: 3 }]);
    assert.deepEqual(await ask('plain'), [client.id, null]);
    assert.deepEqual(await ask('plain', 'x'), [client.id, 'x']);
  });

  test('a handler that returns nothing does not acknowledge', async () => {
    await assert.rejects(client.timeout(80).emitWithAck('nothing', 1), /timed out/);
    await assert.rejects(client.timeout(80).emitWithAck('echo', null), /timed out/);
  });

  test('{ event, data } is emitted, each of an observable in order', async () => {
    const answer = event(client, 'answer');
    client.emit('event', { a: 1 });
    assert.deepEqual(await answer, [{ a: 1 }]);
    const parts = events(client, 'part', 5);
    client.emit('stream', 5);
    assert.deepEqual((await parts).flat(), [0, 1, 2, 3, 4]);
  });

  test('an observable ends with its client', async () => {
    const { journal } = features;
    const ticks = events(client, 'tick', 3);
    client.emit('forever');
    await ticks;
    client.disconnect();
    await until(() => journal.includes('forever ended'), 'the end');
  });

  test('@MessageBody with a key and a pipe, @ConnectedSocket, @Ack', async () => {
    assert.deepEqual(await ask('key', { id: '42', text: 'x' }), { id: 42, text: 'x' });
    assert.deepEqual(await ask('who'), { id: client.id, name: 'ada' });
    const byHand = await within(new Promise((resolve) => client.emit('manual', 7, (...args) => resolve(args))), 'ack');
    assert.deepEqual(byHand, ['by hand', 7]);
  });

  test('guards let in and refuse', async () => {
    assert.equal(await ask('guarded', { age: 18 }), 'welcome');
    const refused = event(client, 'exception');
    client.emit('guarded', { age: 12 });
    assert.deepEqual(await refused, [
      { status: 'error', message: 'Forbidden resource', cause: { pattern: 'guarded', data: { age: 12 } } },
    ]);
    const thrown = event(client, 'exception');
    client.emit('guarded', { age: 13 });
    assert.equal((await thrown)[0].message, 'Internal server error');
  });

  test('interceptors change the answer, pipes refuse by field', async () => {
    assert.deepEqual(await ask('intercepted', 5), { wrapped: 5 });
    assert.deepEqual(await ask('validated', { id: 3, text: 'fine' }), { note: true, id: 3 });
    for (const [note, message] of [
      [{ id: 'x', text: 'fine' }, 'id'],
      [{ id: 1, text: 'x'.repeat(21) }, 'text'],
      [{}, 'id,text'],
    ]) {
      const refused = event(client, 'exception');
      client.emit('validated', note);
      assert.equal((await refused)[0].message, message);
    }
  });

  test('exceptions reach the client through Nest\'s filter, and through WsExceptionFilter', async () => {
    for (const [name, how, answer, payload] of [
      ['fails', 'ws', 'exception', { status: 'error', message: 'as agreed', cause: { pattern: 'fails', data: 'ws' } }],
      ['fails', 'bug', 'exception', { status: 'error', message: 'Internal server error', cause: { pattern: 'fails', data: 'bug' } }],
      ['fails-here', 'ws', 'error', { message: 'as agreed', event: 'fails-here' }],
      ['fails-here', 'bug', 'error', { message: 'Internal server error', event: 'fails-here' }],
      ['fails-nest', 'ws', 'exception', { status: 'error', message: 'as agreed', cause: { pattern: 'fails-nest', data: 'ws' } }],
    ]) {
      const got = event(client, answer);
      client.emit(name, how);
      assert.deepEqual(await got, [payload]);
    }
    assert.equal(started.errors.length, 2, 'the two bugs were logged, agreed refusals were not');
    assert.equal(await ask('echo', 'still here'), 'still here');
  });

  test('two gateways share a namespace and its events', async () => {
    const also = event(client, 'also');
    assert.equal(await ask('shared'), 'first');
    assert.deepEqual(await also, ['second']);
    assert.deepEqual(await ask('second', 2), { second: 2 });
  });

  test('afterInit, handleConnection and handleDisconnect are called, the last with a gone client', async () => {
    const { journal } = features;
    assert.ok(journal.includes('init with the server'));
    const of = (name) => journal.filter((line) => line.includes(` ${name}`));
    const grace = await connect(started.url, { auth: { name: 'grace' } });
    await until(() => of('grace').length === 2, 'both gateways');
    assert.deepEqual(of('grace').toSorted(), ['connect grace', 'second grace']);
    grace.disconnect();
    await until(() => of('grace').length === 3, 'disconnect');
    assert.equal(of('grace')[2], 'disconnect grace false');
  });

  test('a middleware installed in afterInit refuses', async () => {
    const refused = open(started.url, { auth: { refuse: true } });
    await assert.rejects(connected(refused), /REFUSED/);
  });

  test('rooms through client and server', async () => {
    const grace = await connect(started.url, { auth: { name: 'grace' } });
    const seen = record(client);
    assert.deepEqual(await ask('room', 'den'), { inside: true });
    const counted = event(grace, 'count');
    assert.deepEqual(await within(grace.emitWithAck('room', 'den'), 'room'), { inside: true });
    assert.deepEqual(await counted, [2]);
    await until(() => seen.length === 3, 'events of the room');
    assert.deepEqual(seen, [['count', 1], ['entered', grace.id], ['count', 2]]);
  });

  test('REST answers on the same port, and long-polling too', async () => {
    const response = await fetch(`${started.url}/hello`);
    assert.deepEqual(await response.json(), { hello: 'rest' });
    assert.equal((await fetch(`${started.url}/nowhere`)).status, 404);
    for (const transport of ['polling', 'upgrade']) {
      const poller = await connect(started.url, { auth: { name: transport }, transport });
      assert.deepEqual(await within(poller.emitWithAck('echo', transport), 'echo'), transport);
    }
  });

  test('a hundred answers under way keep the order of their events', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(at % 2 ? 'echo' : 'later', at)));
    assert.deepEqual(answers, Array.from({ length: 100 }, (_, at) => at));
  });
});

everywhere('gateways on fastify', ({ door, load }) => {
  test('REST and gateways share the port', async (t) => {
    const { start } = await load('apps/start.js');
    const { FeaturesModule } = await load('apps/features.js');
    const { app, url } = await start(FeaturesModule, door, 'fastify');
    t.after(() => app.close());
    t.after(() => closeClients());
    assert.deepEqual(await (await fetch(`${url}/hello`)).json(), { hello: 'rest' });
    for (const transport of ['websocket', 'polling', 'upgrade']) {
      const client = await connect(url, { auth: { name: transport }, transport });
      assert.deepEqual(await within(client.emitWithAck('key', { id: '7', text: 't' }), 'key'), { id: 7, text: 't' });
      const refused = event(client, 'exception');
      client.emit('guarded', { age: 1 });
      assert.equal((await refused)[0].message, 'Forbidden resource');
    }
    assert.equal((await fetch(`${url}/nowhere`)).status, 404);
  });
});
