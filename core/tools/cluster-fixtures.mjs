// Writes what the JavaScript packages publish, byte for byte, for the tests of `core/src/cluster/wire`:
//   cd tests && node ../core/tools/cluster-fixtures.mjs > ../core/src/cluster/wire/fixtures.json
// Needs socket.io, socket.io-client, @socket.io/redis-adapter and @socket.io/redis-emitter there. The Redis clients
// are stand-ins that note what they are given; everything else is the packages' own.
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { createServer } from 'node:http';

const require = createRequire(`${process.cwd()}/`);
const { Server } = require('socket.io');
const { io: connect } = require('socket.io-client');
const { createAdapter, createShardedAdapter } = require('@socket.io/redis-adapter');
const { Emitter } = require('@socket.io/redis-emitter');
const notepack = require('notepack.io');

const fixtures = [];
let name = '';
let noted = Promise.resolve();
let wake = () => {};
const note = (channel, payload) => {
  fixtures.push({ name, channel: String(channel), hex: Buffer.from(payload).toString('hex') });
  wake();
  return Promise.resolve(1);
};
/** Calls `act` and waits until it has published something. */
const record = async (as, act) => {
  name = as;
  noted = new Promise((resolve) => (wake = resolve));
  act();
  await noted;
};

const listeners = [];
const client = {
  publish: note,
  spublish: note,
  psubscribe() {},
  subscribe() {},
  ssubscribe() {},
  listenerCount: () => 2,
  on: (event, listener) => event === 'messageBuffer' && listeners.push(listener),
  off() {},
  send_command: (_, __, done) => done(null, ['', 3]),
};

const data = () => ['event', 'text "…" 🙂', 1, -7, 1.5, 2 ** 40, true, null, [], { a: { b: [1] }, u: undefined }];
const binary = () => ['bytes', Buffer.from([0, 1, 255]), { deep: new Uint8Array([7]).buffer }];

async function adapter(kind, make, requestOf) {
  const http = createServer();
  const io = new Server(http, { adapter: make });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const socket = connect(`http://127.0.0.1:${http.address().port}`, { transports: ['websocket'], auth: { user: 'ada' } });
  const [serverSide] = await once(io, 'connection');
  serverSide.data = { since: 1 };
  serverSide.join('room');
  socket.on('question', (done) => done('answer', 2));
  socket.on('binary question', (done) => done(Buffer.from('b')));
  io.of('/chat');
  const as = (what) => `${kind} ${what}`;

  await record(as('all'), () => io.emit(...data()));
  await record(as('room'), () => io.to('a').emit('room'));
  await record(as('rooms'), () => io.to('a').to('b').except('c').volatile.compress(false).emit('rooms'));
  await record(as('private'), () => io.to('abcdefghijklmnopqrst').emit('private'));
  await record(as('binary'), () => io.emit(...binary()));
  await record(as('dates'), () => io.emit('dates', new Date(1500), new Date(1600000000000), new Date(-1)));
  await record(as('namespace'), () => io.of('/chat').emit('namespace'));
  await record(as('with ack'), () => io.to('nobody').timeout(2000).emit('ack', 1, () => {}));
  await record(as('join'), () => io.in(['a', 'b']).except('c').socketsJoin(['x', 'y']));
  await record(as('leave'), () => io.socketsLeave('x'));
  await record(as('disconnect'), () => io.in('nobody').disconnectSockets(true));
  await record(as('server side'), () => io.serverSideEmit('hello', { n: 1 }));
  await record(as('server side with ack'), () => io.serverSideEmit('hello', () => {}));
  await record(as('fetch'), () => io.in('nobody').fetchSockets().catch(() => {}));
  if (kind === 'classic') {
    await record(as('rooms request'), () => io.of('/').adapter.allRooms().catch(() => {}));
  }
  io.on('asked', (done) => done({ yes: [1] }));
  io.on('asked in binary', (done) => done(Buffer.from('c')));
  for (const [what, request] of Object.entries(requestOf)) {
    await record(as(`answer to ${what}`), () => request(io.of('/').adapter));
  }
  // The answer to a broadcast with ack is the count, and then the ack.
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.close();
  io.close();
}

const classicRequest = (body) => () => {
  const payload = body.packet ? notepack.encode(body) : JSON.stringify(body);
  listeners.forEach((listener) => listener(Buffer.from('socket.io-request#/#'), Buffer.from(payload)));
};
const question = (event) => ({ type: 2, data: [event], nsp: '/' });
const opts = { rooms: [], except: [] };
await adapter('classic', createAdapter(client, client, { requestsTimeout: 100 }), {
  'an old sockets request': classicRequest({ uid: 'u', requestId: 'r', type: 0, rooms: ['room'] }),
  rooms: classicRequest({ uid: 'u', requestId: 'r', type: 1 }),
  fetch: classicRequest({ uid: 'u', requestId: 'r', type: 5, opts }),
  'server side': classicRequest({ uid: 'u', requestId: 'r', type: 6, data: ['asked'] }),
  question: classicRequest({ uid: 'u', requestId: 'r', type: 7, packet: question('question'), opts }),
  'binary question': classicRequest({ uid: 'u', requestId: 'r', type: 7, packet: question('binary question'), opts }),
});

const shardedRequest = (type, data) => (adapter) => {
  adapter.onMessage({ uid: 'u', nsp: '/', type, data });
};
const flags = {};
await adapter('sharded', createShardedAdapter(client, client), {
  fetch: shardedRequest(7, { requestId: 'r', opts: { ...opts, flags } }),
  'server side': shardedRequest(9, { requestId: 'r', packet: ['asked'] }),
  'binary server side': shardedRequest(9, { requestId: 'r', packet: ['asked in binary'] }),
  question: shardedRequest(3, { requestId: 'r', packet: question('question'), opts: { ...opts, flags } }),
  'binary question': shardedRequest(3, { requestId: 'r', packet: question('binary question'), opts: { ...opts, flags } }),
});

const emitter = new Emitter(client);
await record('emitter all', () => emitter.emit(...data()));
await record('emitter room', () => emitter.of('chat').to('a').emit('room', Buffer.from('b')));
await record('emitter rooms', () => emitter.to(['a', 'b']).except('c').volatile.emit('rooms'));
await record('emitter join', () => emitter.in('a').socketsJoin(['x', 'y']));
await record('emitter leave', () => emitter.socketsLeave('x'));
await record('emitter disconnect', () => emitter.disconnectSockets(true));
await record('emitter server side', () => emitter.serverSideEmit('hello', { n: 1 }));

const versions = Object.fromEntries(
  ['socket.io', 'socket.io-adapter', '@socket.io/redis-adapter', '@socket.io/redis-emitter', 'notepack.io']
    .map((of) => [of, require(`${of}/package.json`).version]),
);
process.stdout.write(`${JSON.stringify({ versions, fixtures }, null, 1)}\n`);
process.exit(0);
