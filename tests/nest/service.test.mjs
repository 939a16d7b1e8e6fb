// WebsocketModule, WebsocketService and WsExceptionFilter: in an application, and alone with mocks.
import assert from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import { Server as SocketIoServer } from 'socket.io';
import { closeClients, connect } from '../support/clients.mjs';
import { event, record, within } from '../support/wait.mjs';
import { everywhere, majors, requireIn } from './support/worlds.mjs';

everywhere('WebsocketModule', ({ door, load }) => {
  afterEach(() => closeClients());

  for (const variant of ['forRoot', 'forRoot, exceptions as Nest sends them', 'forRootAsync, exceptions as Nest sends them']) {
    test(variant, async (t) => {
      const { start } = await load('apps/start.js');
      const { serviceApp, variants } = await load('apps/service.js');
      const { app, url } = await start(serviceApp(variants[variant]()), door);
      t.after(() => app.close());
      const [ada, grace] = [await connect(url), await connect(url)];
      const seen = record(grace);
      assert.equal(await within(ada.emitWithAck('joinRoom', 'general'), 'join'), 'channel:general');

      const got = event(ada, 'newMessage');
      assert.equal(await within(grace.emitWithAck('sendMessage', { channelId: 'general', content: 'hi' }), 'send'), true);
      assert.deepEqual(await got, [{ channelId: 'general', content: 'hi' }]);

      const notified = [event(ada, 'notification'), event(grace, 'notification')];
      assert.deepEqual(await (await fetch(`${url}/notify`)).json(), { sent: true });
      for (const args of await Promise.all(notified)) assert.deepEqual(args, [{ text: 'from REST' }]);
      assert.deepEqual(seen.map(([name]) => name), ['notification']);

      const asNest = variant !== 'forRoot';
      const refused = event(ada, asNest ? 'exception' : 'error');
      const data = { channelId: 'general', content: '' };
      ada.emit('sendMessage', data);
      assert.deepEqual(await refused, [
        asNest
          ? { status: 'error', message: 'empty', cause: { pattern: 'sendMessage', data } }
          : { message: 'empty', event: 'sendMessage' },
      ]);
    });
  }
});

for (const major of majors) {
  describe(`alone · Nest ${major}`, () => {
    const require = requireIn(major);
    require('reflect-metadata');
    const { Logger } = require('@nestjs/common');
    const { WsException } = require('@nestjs/websockets');
    const { Test } = require('@nestjs/testing');
    const nest = require('kraken-ws-native/nest');
    const { WebsocketModule, WebsocketService, WsExceptionFilter } = nest;
    const fresh = async () => {
      const module = await Test.createTestingModule({ providers: [WebsocketService] }).compile();
      return module.get(WebsocketService);
    };
    const errors = () => mock.method(Logger.prototype, 'error', () => {}).mock;
    afterEach(() => mock.restoreAll());

    // The test of the WebSocket module's specification.
    test('should send event to specific room', async () => {
      const mockServer = { to: mock.fn(() => mockServer), emit: mock.fn() };
      const service = await fresh();
      service.setServer(mockServer);
      service.sendToRoom('test-room', 'test-event', { data: 'test' });
      assert.deepEqual(mockServer.to.mock.calls[0].arguments, ['test-room']);
      assert.deepEqual(mockServer.emit.mock.calls[0].arguments, ['test-event', { data: 'test' }]);
    });

    test('mocks with only what a call needs are enough, payloads pass as they are', async () => {
      const service = await fresh();
      const calls = [];
      const when = new Date();
      service.setServer({ to: (room) => ({ emit: (...args) => calls.push([room, ...args]) }) });
      for (const payload of [null, undefined, { when }, []]) assert.equal(service.sendToRoom('r', 'e', payload), true);
      service.setServer({ emit: (...args) => calls.push(args) });
      assert.equal(service.sendToAll('e', null), true);
      service.setServer({
        in: (room) => ({
          socketsJoin: (to) => calls.push(['join', room, to]),
          socketsLeave: (to) => calls.push(['leave', room, to]),
        }),
      });
      assert.equal(service.joinSocketsToRoom('a', ['b', 'c']), true);
      assert.equal(service.removeSocketsFromRoom('a', 'b'), true);
      assert.deepEqual(calls, [
        ['r', 'e', null], ['r', 'e', undefined], ['r', 'e', { when }], ['r', 'e', []],
        ['e', null], ['join', 'a', ['b', 'c']], ['leave', 'a', 'b'],
      ]);
    });

    test('without a server, or with one that throws, calls answer false and log through Nest', async () => {
      const service = await fresh();
      const logged = errors();
      for (const none of [undefined, null]) {
        service.setServer(none);
        assert.equal(service.sendToRoom('r', 'e', 1), false);
        assert.equal(service.sendToAll('e', 1), false);
        assert.equal(service.joinSocketsToRoom('a', 'b'), false);
        assert.equal(service.removeSocketsFromRoom('a', 'b'), false);
      }
      service.setServer({ to() { throw new Error('adapter is down'); }, emit: 'no function' });
      assert.equal(service.sendToRoom('r', 'e', 1), false);
      assert.equal(service.sendToAll('e', 1), false);
      assert.equal(service.joinSocketsToRoom('a', 'b'), false);
      assert.equal(logged.callCount(), 11);
      assert.equal(logged.calls[0].arguments[0], 'sendToRoom failed: no server is set, call setServer(server) first');
      assert.match(logged.calls[8].arguments[0], /^sendToRoom failed: adapter is down$/);
      assert.match(logged.calls[8].arguments[1], /Error: adapter is down\n/, 'with its stack');
    });

    test('each service has its own server, and may change it', async () => {
      const [one, two] = [await fresh(), await fresh()];
      const to = (into) => ({ emit: (name) => into.push(name) });
      const [a, b, c] = [[], [], []];
      one.setServer(to(a));
      two.setServer(to(b));
      one.sendToAll('1');
      two.sendToAll('2');
      one.setServer(to(c));
      one.sendToAll('3');
      assert.deepEqual([a, b, c], [['1'], ['2'], ['3']]);
    });

    test('a socket.io server is as good', async (t) => {
      const io = new SocketIoServer(0);
      t.after(() => io.close());
      t.after(() => closeClients());
      const service = await fresh();
      service.setServer(io);
      const arrived = event(io, 'connection');
      const client = await connect(`http://127.0.0.1:${io.httpServer.address().port}`);
      const [socket] = await arrived;
      assert.equal(service.joinSocketsToRoom(socket.id, 'r'), true);
      const got = event(client, 'e');
      assert.equal(service.sendToRoom('r', 'e', { x: 1 }), true);
      assert.deepEqual(await got, [{ x: 1 }]);
      assert.equal(service.removeSocketsFromRoom('r', 'r'), true);
      assert.equal(socket.rooms.has('r'), false);
    });

    test('the module alone provides the service; forRoot takes a server', async () => {
      const plain = await Test.createTestingModule({ imports: [WebsocketModule] }).compile();
      assert.ok(plain.get(WebsocketService) instanceof WebsocketService);
      const sent = [];
      const server = { emit: (...args) => sent.push(args) };
      const given = await Test.createTestingModule({ imports: [WebsocketModule.forRoot({ server })] }).compile();
      assert.equal(given.get(WebsocketService).sendToAll('e', 1), true);
      assert.deepEqual(sent, [['e', 1]]);
    });

    describe('WsExceptionFilter', () => {
      const caught = (exception, { options, pattern } = {}) => {
        const emitted = [];
        const client = { emit: (...args) => emitted.push(args) };
        const ws = { getClient: () => client, getData: () => 'data', ...(pattern && { getPattern: () => pattern }) };
        new WsExceptionFilter(options).catch(exception, { switchToWs: () => ws });
        assert.equal(emitted.length, 1);
        return emitted[0];
      };

      test('says what a WsException says, and which event', () => {
        assert.deepEqual(caught(new WsException('no')), ['error', { message: 'no', event: 'unknown' }]);
        assert.deepEqual(caught(new WsException({ code: 7 }), { pattern: 'x' }), ['error', { message: { code: 7 }, event: 'x' }]);
        class Derived extends WsException {
          getPattern() {
            return 'derived';
          }
        }
        assert.deepEqual(caught(new Derived('no'), { pattern: 'x' }), ['error', { message: 'no', event: 'derived' }]);
      });

      test('hides and logs everything else', () => {
        const logged = errors();
        for (const bug of [new TypeError('secret'), 'secret', { message: 'secret' }, null, undefined]) {
          assert.deepEqual(caught(bug, { pattern: 'x' }), ['error', { message: 'Internal server error', event: 'x' }]);
        }
        assert.equal(logged.callCount(), 5);
        assert.match(logged.calls[0].arguments[0], /"x" failed: secret/);
      });

      test('emits exception as Nest does when asked to, and refuses other names', () => {
        const [name, payload] = caught(new WsException('no'), { options: { event: 'exception' }, pattern: 'x' });
        assert.equal(name, 'exception');
        assert.deepEqual(payload, { status: 'error', message: 'no', cause: { pattern: 'x', data: 'data' } });
        assert.throws(() => new WsExceptionFilter({ event: 'oops' }), { code: 'ERR_KRAKEN_WS_OPTION', message: /"oops"/ });
      });
    });

    test('names are those of the specification, by require and by import', async () => {
      const { ClientEvents, ServerEvents, rooms } = nest;
      assert.deepEqual({ ...ServerEvents }, SERVER_EVENTS);
      assert.deepEqual({ ...ClientEvents }, CLIENT_EVENTS);
      assert.deepEqual(
        Object.entries(rooms).map(([kind, name]) => [kind, name('7')]),
        ['channel', 'community', 'user', 'presence', 'voice', 'dm'].map((kind) => [kind, `${kind}:7`]),
      );
      const { load } = await import('./support/worlds.mjs');
      const imported = await load(major, '../node_modules/kraken-ws-native/nest.mjs');
      for (const [name, value] of Object.entries(imported)) assert.equal(nest[name], value, name);
      assert.deepEqual(Object.keys(imported).toSorted(), Object.keys(nest).toSorted());
    });

    test('the page of the example spells its events the same', async () => {
      const page = await import('../../node-binding/examples/chat/public/js/events.js');
      for (const [constant, name] of Object.entries(page.ClientEvents)) assert.equal(nest.ClientEvents[constant], name);
      for (const [constant, name] of Object.entries(page.ServerEvents)) {
        if (constant !== 'FIGURES') assert.equal(nest.ServerEvents[constant], name);
      }
      for (const [kind, name] of Object.entries(page.rooms)) assert.equal(nest.rooms[kind](1), name(1));
    });
  });
}

const SERVER_EVENTS = {
  NEW_MESSAGE: 'newMessage',
  UPDATE_MESSAGE: 'updateMessage',
  DELETE_MESSAGE: 'deleteMessage',
  NEW_DM: 'newDirectMessage',
  NEW_MENTION: 'newMention',
  NOTIFICATION: 'notification',
  USER_ONLINE: 'userOnline',
  USER_OFFLINE: 'userOffline',
  USER_TYPING: 'userTyping',
  VOICE_CHANNEL_USER_JOINED: 'voiceChannelUserJoined',
  VOICE_CHANNEL_USER_LEFT: 'voiceChannelUserLeft',
  VOICE_CHANNEL_USER_UPDATED: 'voiceChannelUserUpdated',
  ACK: 'ack',
  ERROR: 'error',
};
const CLIENT_EVENTS = {
  JOIN_ALL: 'joinAll',
  JOIN_ROOM: 'joinRoom',
  LEAVE_ROOM: 'leaveRoom',
  PRESENCE_ONLINE: 'presenceOnline',
  SEND_MESSAGE: 'sendMessage',
  SEND_DM: 'sendDirectMessage',
  TYPING_START: 'typingStart',
  TYPING_STOP: 'typingStop',
  VOICE_CHANNEL_JOIN: 'voice_channel_join',
  VOICE_CHANNEL_LEAVE: 'voice_channel_leave',
  VOICE_STATE_UPDATE: 'voice_state_update',
  VOICE_PRESENCE_REFRESH: 'voice_presence_refresh',
};
