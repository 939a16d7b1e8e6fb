// Socket.IO packets no client library sends.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { binary, frame, OP } from './support/frames.mjs';
import { Neighbour, SocketIoClient } from './support/socketio.mjs';
import { startServer } from './support/server.mjs';
import { isBridge, isNative } from '../support/subject.mjs';
import { WebSocketClient } from './support/websocket.mjs';

const isOracle = !isNative && !isBridge;
const server = await startServer({ maxHttpBufferSize: 4e6 }, (socket) => {
  socket.on('take', (...args) => args.pop()('taken'));
});
after(() => server.close());
server.io.of('/other');
const waiting = [];
/** Lets go on what waits under that name. */
const release = (name) => waiting.filter(([waits]) => waits === name).forEach(([, go]) => go());
server.io.of('/slow').use((socket, next) => waiting.push([socket.handshake.auth.who, next]));
if (isNative) server.io.of((name, auth, next) => (name === '/asked' ? waiting.push(['asked', () => next(null, true)]) : next(null, false)));
const neighbour = await Neighbour.join(server.port);

function unharmed(name, steps) {
  test(name, { timeout: 20_000 }, () => neighbour.unharmedBy(async () => steps(await SocketIoClient.connect(server.port))));
}

/** The client sends `messages` (a Buffer goes as a binary frame); its connection is closed, the host is told one of `reasons`. */
function closes(name, messages, ...reasons) {
  unharmed(`${name} closes the client: ${reasons.join(' or ')}`, async (client) => {
    for (const message of [messages].flat()) await client.ws.send(Buffer.isBuffer(message) ? binary(message) : textFrame(message));
    await client.ending();
    const reason = await server.ends.reasonOf(client.id);
    assert.ok(reasons.includes(reason), reason);
  });
}

/** The client sends `messages` and goes on as if nothing had been. */
function ignores(name, messages) {
  unharmed(`${name} is ignored`, async (client) => {
    for (const message of [messages].flat()) await client.ws.send(textFrame(message));
    await client.echo('alive');
    client.leave();
  });
}

closes('an unknown Engine.IO packet type', '9', 'parse error');
closes('an Engine.IO packet type that is a letter', 'hello', 'parse error');
closes('an empty message', '', 'parse error');
closes('a heartbeat in the wrong direction', '2', 'transport error');

closes('an unknown Socket.IO packet type', '47', 'forced close');
closes('a Socket.IO packet type that is a letter', '4x["echo"]', 'forced close');
closes('an event that is not JSON', '42["echo",', 'forced close');
closes('an event with bytes after the JSON', '42["take"]]', 'forced close');
closes('an event that is an object', '42{"echo":1}', 'forced close');
closes('an event whose name is null', '42[null]', 'forced close');
closes('an event whose name is an array', '42[["echo"]]', 'forced close');
closes('an event without a name', '42[]', 'forced close');
closes('an acknowledgement that is no array', '431{"a":1}', 'forced close');
closes('a disconnect with data', '41{"a":1}', 'forced close');
if (!isOracle) {
  // In socket.io the first two end the process from 120,000 arguments on.
  closes('an event with 200,000 arguments', `42["take"${',1'.repeat(200_000)}]`, 'forced close');
  closes('an acknowledgement with 200,000 arguments', `431[1${',1'.repeat(200_000)}]`, 'forced close');
  closes('an event nested 200,000 times', `42["take",${'['.repeat(200_000)}${']'.repeat(200_000)}]`, 'forced close');
  closes('an event with an attachment that is nested 200,000 times',
    [`451-["take",{"_placeholder":true,"num":0},${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}]`, Buffer.from('x')], 'forced close');
}
unharmed('an event with 4,000 arguments is taken', async (client) => {
  await client.ws.send(textFrame(`421["take"${',1'.repeat(4000)}]`));
  assert.equal(await client.nextPacket(), '431["taken"]');
  client.leave();
});
for (const name of ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']) {
  closes(`the reserved event name ${name}`, `42["${name}","transport close"]`, 'forced close');
}
closes('a reserved event name in JSON escapes', '42["\\u0064isconnect"]', 'forced close');

closes('11 attachments', '4511-["take",{"_placeholder":true,"num":0}]', 'forced close');
closes('0 attachments', '450-["take"]', 'forced close');
closes('a negative number of attachments', '45-1-["take"]', 'forced close');
closes('half an attachment', '451.5-["take"]', 'forced close');
closes('a number of attachments without a dash', '451["take",{"_placeholder":true,"num":0}]', 'forced close');
closes('2^64 attachments', '4518446744073709551616-["take"]', 'forced close');
closes('a placeholder beyond the attachments', ['451-["take",{"_placeholder":true,"num":5}]', Buffer.from('x')], 'forced close');
closes('a placeholder with a negative number', ['451-["take",{"_placeholder":true,"num":-1}]', Buffer.from('x')], 'forced close');
closes('text instead of a binary attachment', ['452-["take",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', Buffer.from('x'), '42["echo"]'], 'forced close');
closes('a binary message that nobody announced', Buffer.from('x'), 'forced close');

// A packet that fits nothing the client has joined. socket.io says either, by whether its write buffer was empty.
const INVALID_STATE = ['forced close', 'forced server close'];
closes('an event for a namespace that was not joined', '42/other,["echo",1]', ...INVALID_STATE);
closes('an event for a namespace that does not exist', '42/nowhere,["echo",1]', ...INVALID_STATE);
if (isNative) {
  unharmed('a second CONNECT to a joined namespace makes its socket anew', async (client) => {
    await client.ws.send(textFrame('40/other,'));
    assert.match(await client.nextPacket(), /^40\/other,/);
    await client.ws.send(textFrame('40/other,'));
    assert.match(await client.nextPacket(), /^40\/other,/);
    assert.equal(server.io.of('/other').sockets.size, 1);
    await client.echo('the others stay');
    client.leave();
  });
  unharmed('of CONNECTs to a namespace that is being joined the last one counts', async (client) => {
    const { sockets } = server.io.of('/slow');
    for (const who of ['first', 'second']) await client.ws.send(textFrame(`40/slow,{"who":"${who}"}`));
    await client.echo('both are here');
    release('second');
    const [, sid] = /^40\/slow,\{"sid":"([^"]+)"/.exec(await client.nextPacket());
    release('first');
    await client.echo('the first is let in no more');
    assert.deepEqual([...sockets.keys()], [sid]);
    assert.equal(sockets.get(sid).handshake.auth.who, 'second');
    client.leave();
  });
  unharmed('a client may leave a namespace that the host is being asked about', async (client) => {
    await client.ws.send(textFrame('40/asked,'));
    await client.ws.send(textFrame('41/asked,'));
    await client.echo('nobody minds');
    await client.ws.send(textFrame('40/asked,'));
    await client.echo('asked again');
    release('asked');
    assert.match(await client.nextPacket(), /^40\/asked,/);
    assert.equal(server.io.of('/asked').sockets.size, 1);
    client.leave();
  });
} else {
  closes('a second CONNECT to a joined namespace', '40', ...INVALID_STATE);
}
closes('a CONNECT_ERROR from a client', '44{"message":"no"}', ...INVALID_STATE);
closes('a CONNECT with broken auth JSON', '40/other,{"token":', 'forced close');
closes('a CONNECT whose auth is an array', '40/other,[1]', 'forced close');
closes('a CONNECT whose auth is a string', '40/other,"secret"', 'forced close');

test('a first CONNECT with broken auth JSON closes the client', { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
  const ws = await WebSocketClient.open(server.port);
  await ws.nextText();
  await ws.sendText('40{"token":');
  await ws.ending();
}));

test('an event before the CONNECT closes the client', { timeout: 15_000 }, () => neighbour.unharmedBy(async () => {
  const ws = await WebSocketClient.open(server.port);
  await ws.nextText();
  await ws.sendText('42["echo",1]');
  await ws.ending();
}));

ignores('an ack for an unknown id', '4399["x"]');
ignores('an ack without an id', '43["x"]');
ignores('an ack with an enormous id', '4399999999999999999999["x"]');
ignores('an event nobody listens to', '42["unheard",{"a":[1,2,3]}]');
ignores('an event named by a number', '42[7,"x"]');
ignores('a noop', '6');
ignores('an upgrade packet outside of an upgrade', '5');
ignores('a pong nobody asked for', '3');

unharmed('event names are compared after their JSON escapes are undone', async (client) => {
  const name = 'na\\me "quoted"\n\u00e9\u{1f600}';
  const heard = new Promise((resolve) => server.io.sockets.sockets.get(client.id).on(name, (...args) => resolve(args)));
  const escaped = JSON.stringify(name).replace(/[^\x20-\x7e]|a/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  await client.sendText(`42[ ${escaped} ,\t"\\u0041\\/", 1e2 ]\n`);
  assert.deepEqual(await heard, ['A/', 100]);
});

unharmed('event names that are properties of every object are ordinary', async (client) => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) await client.sendText(`42["${name}",1]`);
  await client.sendText('42["unheard",{"__proto__":{"polluted":true}},0]');
  await client.echo('alive');
  assert.equal({}.polluted, undefined);
});

unharmed('ten attachments are allowed and arrive in order', async (client) => {
  const placeholders = Array.from({ length: 10 }, (_, num) => `{"_placeholder":true,"num":${num}}`);
  const heard = new Promise((resolve) => server.io.sockets.sockets.get(client.id).on('ten', (...args) => resolve(args)));
  await client.sendText(`4510-["ten",${placeholders}]`);
  for (let i = 0; i < 10; i++) await client.ws.send(binary(Buffer.from([i, 255 - i])));
  assert.deepEqual(await heard, Array.from({ length: 10 }, (_, i) => Buffer.from([i, 255 - i])));
});

unharmed('a client that leaves between attachments is gone without a trace', async (client) => {
  await client.sendText('452-["take",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  await client.ws.send(binary('x'));
  client.leave();
  assert.equal(await server.ends.reasonOf(client.id), 'transport close');
});

const DEEP = 100_000;
for (const [what, argument] of [
  ['arrays', '['.repeat(DEEP) + ']'.repeat(DEEP)],
  ['objects', '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP)],
  ['arrays that are never closed', '['.repeat(DEEP)],
]) {
  unharmed(`${DEEP} nested ${what} are taken or refused, and crash nobody`, async (client) => {
    await client.sendText(`421["take",${argument}]`);
    const answer = await client.nextPacket().catch(() => null);
    if (answer === null) await server.ends.reasonOf(client.id);
    else assert.ok(answer.startsWith('431["taken"]') || answer.startsWith('44'), answer.slice(0, 100));
  });
  unharmed(`an auth of ${DEEP} nested ${what} is taken or refused, and crashes nobody`, async (client) => {
    await client.sendText(`40/other,{"a":${argument}}`);
    const answer = await client.nextPacket().catch(() => null);
    if (answer === null) await server.ends.reasonOf(client.id);
    else assert.match(answer.slice(0, 100), /^4[04]\/other,/);
  });
}

unharmed('an event with an attachment beside 20000 nested arrays is taken or refused, and crashes nobody', async (client) => {
  const heard = new Promise((resolve) => server.io.sockets.sockets.get(client.id).on('deep', (deep, bytes) => resolve(bytes)));
  const refused = server.ends.reasonOf(client.id);
  // Only one of them comes.
  refused.catch(() => {});
  await client.sendText(`451-["deep",${'['.repeat(20_000)}${']'.repeat(20_000)},{"_placeholder":true,"num":0}]`);
  await client.ws.send(binary('bytes'));
  const outcome = await Promise.race([heard, refused]);
  assert.ok(outcome === 'forced close' || outcome.equals(Buffer.from('bytes')), String(outcome));
  client.leave();
});

unharmed('20000 nested arrays with an attachment are one answer among others', async (client) => {
  const other = await SocketIoClient.connect(server.port);
  for (const each of [client, other]) await server.io.sockets.sockets.get(each.id).join('asked');
  const answers = new Promise((resolve) => server.io.to('asked').timeout(2000).emit('ask', (err, responses) => resolve(responses)));
  const ids = [];
  for (const each of [client, other]) ids.push(/^42(\d+)\["ask"\]$/.exec(await each.nextPacket())[1]);
  await client.sendText(`461-${ids[0]}[[${'['.repeat(20_000)}${']'.repeat(20_000)},{"_placeholder":true,"num":0}]]`);
  await client.ws.send(binary('bytes'));
  await other.sendText(`43${ids[1]}["mine"]`);
  assert.ok((await answers).includes('mine'));
  client.leave();
  other.leave();
});

unharmed('a flood of CONNECT packets to unknown namespaces is answered one by one and leaves nothing behind', async (client) => {
  const namespaces = server.io._nsps.size;
  // Below the number that a client may wait for at once: how many wait depends on who runs when.
  const flood = 1000;
  const frames = [];
  for (let i = 0; i < flood; i++) frames.push(textFrame(`40/flood-${i},`));
  await client.ws.send(Buffer.concat(frames));
  for (let i = 0; i < flood; i++) assert.equal(await client.nextPacket(), `44/flood-${i},{"message":"Invalid namespace"}`);
  assert.equal(server.io._nsps.size, namespaces);
  await client.echo('still in the main namespace');
  await client.sendText('40/other,');
  assert.match(await client.nextPacket(), /^40\/other,\{"sid"/);
});

unharmed('a namespace with a query, an odd name and a very long name are unknown, not fatal', async (client) => {
  for (const name of ['/é\u{1f600}', '/a/b/../c', `/${'x'.repeat(100_000)}`, '/__proto__', '/constructor']) {
    await client.sendText(`40${name},`);
    assert.equal(await client.nextPacket(), `44${name},{"message":"Invalid namespace"}`);
  }
  await client.echo('alive');
});

unharmed('a client that sends no CONNECT in time does not linger', async () => {
  const impatient = await startServer({ connectTimeout: 300 });
  try {
    const ws = await WebSocketClient.open(impatient.port);
    await ws.nextText();
    await ws.ending(3000);
    assert.equal(impatient.io.engine.clientsCount, 0);
  } finally {
    await impatient.io.close();
  }
});

unharmed('a client that joins and leaves a namespace again and again leaves no sockets behind', async (client) => {
  const before = server.io.of('/other').sockets.size;
  for (let i = 0; i < 200; i++) {
    await client.sendText('40/other,');
    assert.match(await client.nextPacket(), /^40\/other,\{"sid"/);
    await client.sendText('41/other,');
    await client.echo(i);
  }
  assert.equal(server.io.of('/other').sockets.size, before);
});

function textFrame(message) {
  return frame(OP.TEXT, message);
}
