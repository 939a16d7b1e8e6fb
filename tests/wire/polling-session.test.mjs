// Long-polling sessions whose client breaks the rules of Engine.IO.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { readResponse, request, requestText } from './support/http.mjs';
import { PollingSession } from './support/polling.mjs';
import { Neighbour } from './support/socketio.mjs';
import { startServer } from './support/server.mjs';
import { Tcp } from './support/tcp.mjs';

const LIMIT = 10_000;
const server = await startServer({ maxHttpBufferSize: LIMIT });
after(() => server.close());
const neighbour = await Neighbour.join(server.port);

function unharmed(name, steps) {
  test(name, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => steps(await PollingSession.connect(server.port))));
}

/** Sends a request and does not wait for its answer. */
async function begin(text) {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(text);
  return tcp;
}

/** Resolves once the server holds the poll, which shows in an answer that only a held poll gives. */
async function holdPoll(session) {
  const tcp = await begin(requestText('GET', session.target));
  await session.post('4212["echo","held"]');
  assert.equal((await readResponse(tcp)).body, '4312["held"]');
  await tcp.write(requestText('GET', session.target));
  // A request on another connection that is answered later than the poll was written shows that the server had its turn.
  await request(server.port, 'GET', '/elsewhere');
  return tcp;
}

unharmed('a second concurrent GET is answered 400 and closes the session', async (session) => {
  const first = await holdPoll(session);
  assert.equal((await session.poll()).status, 400);
  assert.equal(await server.ends.reasonOf(session.id), 'transport error');
  // The first poll is released, with a close packet or without a word, but never with data.
  const answer = await readResponse(first).catch(() => null);
  if (answer) assert.ok(['1', '6', ''].includes(answer.body), answer.body);
  await session.isGone();
});

unharmed('a second concurrent POST is answered 400 and closes the session', async (session) => {
  await begin(`POST ${session.target} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n42`);
  await request(server.port, 'GET', '/elsewhere');
  assert.equal((await session.post('42["x"]')).status, 400);
  assert.equal(await server.ends.reasonOf(session.id), 'transport error');
  await session.isGone();
});

unharmed('a POST beyond maxHttpBufferSize is answered 413 and the session lives', async (session) => {
  const response = await session.post('4'.padEnd(LIMIT + 1, 'x'));
  assert.equal(response.status, 413);
  await session.echo('alive');
});

unharmed('a chunked POST beyond maxHttpBufferSize is answered 413 and the session lives', async (session) => {
  const tcp = await begin(requestText('POST', session.target, { 'Transfer-Encoding': 'chunked' }));
  for (let sent = 0; sent <= LIMIT; sent += 1000) await tcp.write(`3e8\r\n${'x'.repeat(1000)}\r\n`);
  assert.equal((await readResponse(tcp)).status, 413);
  tcp.destroy();
  await session.echo('alive');
});

unharmed('a POST of exactly maxHttpBufferSize is taken', async (session) => {
  const [head, tail] = ['42["note","', '"]'];
  await session.send(head + 'x'.repeat(LIMIT - head.length - tail.length) + tail);
  await session.echo('alive');
});

unharmed('a binary content type is refused and closes the session', async (session) => {
  const response = await session.post(Buffer.from([4, 1, 2]).toString('latin1'), { 'Content-Type': 'application/octet-stream' });
  assert.equal(response.status, 400);
  assert.equal(await server.ends.reasonOf(session.id), 'transport error');
  await session.isGone();
});

for (const [what, payload] of [
  ['an unknown Engine.IO packet type', '9hello'],
  ['a letter for a packet type', 'x'],
  ['an empty payload', ''],
  ['an empty packet between two good ones', '42["x"]\x1e\x1e42["x"]'],
]) {
  unharmed(`${what} closes the session with parse error`, async (session) => {
    await session.post(payload);
    assert.equal(await server.ends.reasonOf(session.id), 'parse error');
    await session.isGone();
  });
}

unharmed('a ping from the client closes the session: heartbeats go the other way', async (session) => {
  await session.post('2');
  assert.equal(await server.ends.reasonOf(session.id), 'transport error');
  await session.isGone();
});

unharmed('a close packet closes the session and releases the poll', async (session) => {
  const poll = await holdPoll(session);
  await session.post('1');
  assert.equal((await readResponse(poll)).body, '6');
  assert.equal(await server.ends.reasonOf(session.id), 'transport close');
  await session.isGone();
});

unharmed('packets before a bad one in the same payload are taken', async (session) => {
  const seen = [];
  server.io.sockets.sockets.get(session.id).on('note', (value) => seen.push(value));
  await session.post('42["note",1]\x1e42["note",2]\x1e9\x1e42["note",3]');
  await server.ends.reasonOf(session.id);
  assert.ok(!seen.includes(3));
});

unharmed('base64 that is binary where none was announced closes the session', async (session) => {
  await session.post('bAQIDBA==');
  assert.match((await session.poll()).body, /^(6\x1e)?1$/);
  assert.equal(await server.ends.reasonOf(session.id), 'forced close');
});

for (const method of ['PUT', 'DELETE', 'PATCH']) {
  unharmed(`${method} on a session is an error and the session lives`, async (session) => {
    const response = await request(server.port, method, session.target);
    assert.ok([400, 405, 500].includes(response.status), `status ${response.status}`);
    await session.echo('alive');
  });
}

unharmed('a poll whose client resets the connection closes the session', async (session) => {
  const poll = await holdPoll(session);
  poll.reset();
  assert.equal(await server.ends.reasonOf(session.id), 'transport error');
  await session.isGone();
});

unharmed('a POST whose client resets the connection closes the session', async (session) => {
  const tcp = await begin(`POST ${session.target} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n42`);
  await request(server.port, 'GET', '/elsewhere');
  tcp.reset();
  assert.equal(await server.ends.reasonOf(session.id), 'transport error');
  await session.isGone();
});

unharmed('many packets of one POST are answered in one poll, in order', async (session) => {
  const count = 200;
  await session.send(...Array.from({ length: count }, (_, i) => `42${i}["echo",${i}]`));
  for (let i = 0; i < count; i++) assert.equal(await session.nextPacket(), `43${i}[${i}]`);
});

unharmed('a client that speaks text beyond ASCII is measured in bytes', async (session) => {
  const [head, tail] = ['42["note","', '"]'];
  const tooMany = head + 'é'.repeat(Math.ceil((LIMIT + 1 - head.length - tail.length) / 2)) + tail;
  assert.ok(tooMany.length < LIMIT && Buffer.byteLength(tooMany) > LIMIT);
  assert.equal((await session.post(tooMany)).status, 413);
  await session.echo('é€😀');
});
