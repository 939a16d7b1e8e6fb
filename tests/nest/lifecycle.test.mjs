// An application's end: app.close(), signals, forced; and adapters that applications derive.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closeClients, connect, connected, open } from '../support/clients.mjs';
import { freePort } from '../support/server.mjs';
import { event, until, within } from '../support/wait.mjs';
import { everywhere, folder } from './support/worlds.mjs';

/** The requests of long-polling clients that a server has not answered yet. */
function pollsAt(httpServer) {
  const polls = new Set();
  httpServer.on('request', (request, response) => {
    if (request.method !== 'GET' || !request.url.startsWith('/socket.io/')) return;
    polls.add(response);
    response.on('close', () => polls.delete(response));
  });
  return polls;
}

everywhere('the end of an application', ({ major, door, load }) => {
  afterEach(() => closeClients());

  for (const [http, options] of [
    ['express', {}],
    ['express', { forceCloseConnections: true }],
    ['fastify', {}],
    ['fastify', { forceCloseConnections: true }],
  ]) {
    const skip = http === 'fastify' && options.forceCloseConnections && door === 'socket.io' && major === '11'
      ? 'IoAdapter of Nest 11 leaves WebSocket clients connected there' : false;
    const title = `app.close() on ${http} with ${JSON.stringify(options)} tells clients, calls the hooks and frees the port`;
    test(title, { skip }, async (t) => {
      const { start } = await load('apps/start.js');
      const { EndingModule, ending } = await load('apps/lifecycle.js');
      const { app, url } = await start(EndingModule, door, http, options);
      t.after(() => app.close());
      const polls = pollsAt(app.getHttpServer());
      const clients = [await connect(url), await connect(url, { transport: 'polling' }), await connect(url)];
      for (const client of clients) await within(client.emitWithAck('echo', 1), 'echo');
      // A connection that HTTP keeps alive must not hold the end up.
      await (await fetch(`${url}/`)).text();
      // Between two polls a client has nothing that last words could be the answer to.
      await until(() => polls.size === 1, 'a poll');
      ending.length = 0;
      // The client on long-polling is told too, but socket.io-client drops a message that shares its payload with
      // the close packet, which is a matter of timing.
      const going = [clients[0], clients[2]].map((client) => event(client, 'going'));
      const gone = clients.map((client) => event(client, 'disconnect'));
      await within(app.close(), 'app.close()');
      for (const args of await Promise.all(going)) assert.deepEqual(args, ['closed']);
      await Promise.all(gone);
      assert.deepEqual(ending.slice(0, 2), ['onModuleDestroy', 'beforeApplicationShutdown']);
      // Forced, the HTTP connections end behind Nest's back, on socket.io after the hooks have run.
      if (!options.forceCloseConnections) {
        assert.deepEqual(ending.slice(2, 5), Array(3).fill('handleDisconnect'));
        assert.equal(ending[5], 'onApplicationShutdown');
      }
      await assert.rejects(fetch(url));
      await assert.rejects(connected(open(url)));
    });
  }

  test('a signal ends the process when shutdown hooks are on', async (t) => {
    const program = fileURLToPath(new URL('dist/apps/until-signal.js', folder(major)));
    const child = spawn(process.execPath, [program, door], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_TEST_CONTEXT: '' } });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const [line] = await within(once(child.stdout.setEncoding('utf8'), 'data'), 'start');
    const client = await connect(line.trim());
    const going = event(client, 'going');
    const gone = event(client, 'disconnect');
    child.kill('SIGTERM');
    assert.deepEqual(await going, ['SIGTERM']);
    await gone;
    const [code, signal] = await within(ended, 'exit');
    assert.deepEqual({ code, signal }, { code: null, signal: 'SIGTERM' });
  });

  test('a subclass changes options, installs middleware, and maps payloads', async (t) => {
    const { start } = await load('apps/start.js');
    const { EndingModule, subclassed } = await load('apps/lifecycle.js');
    const { app, url } = await start(EndingModule, door, 'express', {}, (made) => made.useWebSocketAdapter(subclassed(door, made)));
    t.after(() => app.close());
    const client = await connect(url, { path: '/ws' });
    assert.equal(await within(client.emitWithAck('echo', 'ping'), 'echo'), door === 'socket.io' ? 'ping' : 'mapped');
    await assert.rejects(connected(open(url)));
  });

  test('the door by option and by environment, for a subclass with members of its own', async (t) => {
    const { WithLogger } = await load('apps/lifecycle.js');
    t.after(() => delete process.env.KRAKEN_WS_DOOR);
    const kind = (io) => {
      if (typeof io.stats === 'function') return 'server';
      return typeof io.engine.stats === 'function' ? 'bridge' : 'socket.io';
    };
    const made = async (options) => {
      const io = new WithLogger(undefined, options).createIOServer(await freePort());
      const found = kind(io);
      await io.close();
      return found;
    };
    assert.equal(await made({ door }), door);
    process.env.KRAKEN_WS_DOOR = door;
    assert.equal(await made(), door);
    process.env.KRAKEN_WS_DOOR = 'bridge';
    assert.equal(await made({ door }), door, 'the option goes first');
    process.env.KRAKEN_WS_DOOR = '';
    assert.equal(await made(), 'server');
    process.env.KRAKEN_WS_DOOR = 'window';
    assert.throws(() => new WithLogger(), { code: 'ERR_KRAKEN_WS_OPTION', message: /^KRAKEN_WS_DOOR: expected one of .+, got "window"$/ });
    assert.throws(() => new WithLogger(undefined, { door: 'window' }), { code: 'ERR_KRAKEN_WS_OPTION', message: /^door: expected one of "server", "bridge", "socket.io", got "window"$/ });
  });

  test('an adapter from a linked package, with a Nest of its own, finds the HTTP server', { skip: door !== 'server' }, async (t) => {
    const { KrakenIoAdapter } = createRequire(import.meta.url)('../../node-binding/nest.js');
    const { start } = await load('apps/start.js');
    const { EndingModule } = await load('apps/lifecycle.js');
    const { app, url } = await start(EndingModule, door, 'express', {}, (made) => made.useWebSocketAdapter(new KrakenIoAdapter(made)));
    t.after(() => app.close());
    const client = await connect(url);
    assert.equal(await within(client.emitWithAck('echo', 'linked'), 'echo'), 'linked');
  });

  // Nest 11's own adapter lets this one end the process.
  const skip = door === 'socket.io' && major === '11' ? 'IoAdapter of Nest 11 does not survive it' : false;
  test('a filter that throws is logged, and the event goes on being served', { skip }, async (t) => {
    const { start } = await load('apps/start.js');
    const { EndingModule } = await load('apps/lifecycle.js');
    const { app, url, errors } = await start(EndingModule, door);
    t.after(() => app.close());
    const client = await connect(url);
    for (let at = 1; at <= 2; at += 1) {
      client.emit('rethrown');
      assert.equal(await within(client.emitWithAck('echo', at), 'echo'), at);
      assert.equal(errors.length, at);
      assert.match(String(errors[at - 1][0]), /thrown again by its filter/);
    }
  });
});
