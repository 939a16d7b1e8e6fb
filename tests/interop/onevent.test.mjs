// `socket.onevent`: where packages get at every event of a client (wildcard listeners, sessions that are saved around
// each event). They put their own function there and call the one that was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { subjectModule } from '../support/subject.mjs';
import { event, within } from '../support/wait.mjs';

test('a function in place of onevent sees each packet before the handlers, and passes it on', async (t) => {
  const { io, url } = await serve(t);
  const seen = [];
  io.use((socket, next) => {
    const { onevent } = socket;
    socket.onevent = function (packet) {
      seen.push({ socket: this, ...packet, data: [...packet.data] });
      onevent.call(this, packet);
    };
    next();
  });
  const { client, socket } = await pair(io, url);
  const order = [];
  socket.onAny((name) => order.push(`any ${name}, ${seen.length} seen`));
  socket.on('ask', (text, answer) => answer(`${text}!`));
  assert.equal(await within(client.emitWithAck('ask', 'hello'), 'ack'), 'hello!');
  const bytes = event(socket, 'bytes');
  client.emit('bytes', Buffer.from('b'));
  assert.deepEqual(await bytes, [Buffer.from('b')]);
  assert.deepEqual(order, ['any ask, 1 seen', 'any bytes, 2 seen']);
  assert.deepEqual(seen.map(({ type, nsp, id, data }) => [type, nsp, id, data]), [
    [2, '/', 0, ['ask', 'hello']],
    [2, '/', undefined, ['bytes', Buffer.from('b')]],
  ]);
  assert.ok(seen.every((packet) => packet.socket === socket));
});

test('one that replays each packet under a second name reaches listeners of both, and the client is answered once', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const { onevent } = socket;
  socket.onevent = function (packet) {
    const args = packet.data || [];
    onevent.call(this, packet);
    packet.data = ['*'].concat(args);
    onevent.call(this, packet);
  };
  const every = event(socket, '*');
  socket.on('named', (_n, answer) => answer('named'));
  assert.equal(await within(client.emitWithAck('named', 7), 'ack'), 'named');
  assert.deepEqual((await every).slice(0, 2), ['named', 7]);
});

test('one that never calls the first makes acknowledgements with socket.ack and runs middlewares with socket.dispatch', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  const passed = [];
  socket.use(([name], next) => {
    passed.push(name);
    next();
  });
  socket.onevent = function (packet) {
    const args = packet.data || [];
    if (packet.id != null) args.push(this.ack(packet.id));
    this.dispatch(args);
  };
  socket.on('ask', (answer) => answer('by hand'));
  assert.equal(await within(client.emitWithAck('ask'), 'ack'), 'by hand');
  assert.deepEqual(passed, ['ask']);
});

test('a function on the class is called for every socket', async (t) => {
  const { prototype } = subjectModule.Socket;
  const { onevent } = prototype;
  const names = [];
  prototype.onevent = function (packet) {
    names.push(packet.data[0]);
    onevent.call(this, packet);
  };
  t.after(() => (prototype.onevent = onevent));
  const { io, url } = await serve(t);
  for (const name of ['a', 'b']) {
    const { client, socket } = await pair(io, url);
    const came = event(socket, name);
    client.emit(name);
    await came;
  }
  assert.deepEqual(names, ['a', 'b']);
});

test('onack gets the answers, and acks holds those that are awaited', async (t) => {
  const { io, url } = await serve(t);
  const { client, socket } = await pair(io, url);
  client.on('ask', (n, answer) => answer(n + 1));
  const { onack } = socket;
  const answers = [];
  socket.onack = function (packet) {
    answers.push([packet.type, packet.data, this.acks.has(packet.id)]);
    onack.call(this, packet);
  };
  assert.equal(socket.acks.size, 0);
  const answer = socket.emitWithAck('ask', 1);
  assert.equal(socket.acks.size, 1);
  assert.equal(await within(answer, 'ack'), 2);
  assert.equal(socket.acks.size, 0);
  assert.deepEqual(answers, [[3, [2], true]]);
});
