// Gateways with their own namespace, a dynamic namespace, their own path, their own port.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { closeClients, connect, connected, open } from '../support/clients.mjs';
import { freePort } from '../support/server.mjs';
import { event, record, within } from '../support/wait.mjs';
import { everywhere } from './support/worlds.mjs';

everywhere('places of gateways', ({ door, load }) => {
  let app;
  let url;
  let port;
  let places;
  const where = (client) => within(client.emitWithAck('where'), 'where');

  before(async () => {
    const { start } = await load('apps/start.js');
    const { PlacesModule, places: noted } = await load('apps/places.js');
    port = await freePort();
    places = noted;
    ({ app, url } = await start(PlacesModule.at(port), door));
  });
  afterEach(() => closeClients());
  after(() => app?.close());

  test('a namespace of its own', async () => {
    const inside = await connect(`${url}/own`);
    const outside = await connect(url);
    const seen = record(outside);
    assert.equal(await where(inside), '/own');
    assert.equal(places.own, '/own');
    const told = event(inside, 'told');
    inside.emit('tell', 'hello');
    assert.deepEqual(await told, ['hello']);
    assert.deepEqual(seen, []);
  });

  test('a namespace by pattern: each name is its own', async () => {
    const [one, two] = [await connect(`${url}/dynamic-1`), await connect(`${url}/dynamic-22`)];
    assert.equal(await where(one), '/dynamic-1');
    assert.equal(await where(two), '/dynamic-22');
    const seen = record(two);
    const told = event(one, 'told');
    one.emit('tell', 'first');
    assert.deepEqual(await told, ['first']);
    assert.equal(await where(two), '/dynamic-22');
    assert.deepEqual(seen, []);
    await assert.rejects(connected(open(`${url}/dynamic-x`)), /Invalid namespace/);
  });

  test('a path of its own', async () => {
    for (const transport of ['websocket', 'polling']) {
      assert.equal(await where(await connect(url, { path: '/elsewhere', transport })), 'elsewhere');
    }
  });

  test('a port of its own, with its own options', async () => {
    assert.equal(places.port, 'function');
    assert.equal(await where(await connect(`http://127.0.0.1:${port}`)), 'own port');
    await assert.rejects(connected(open(`http://127.0.0.1:${port}`, { transport: 'polling' })));
  });
});
