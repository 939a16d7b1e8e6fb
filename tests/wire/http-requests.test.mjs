// What the HTTP side answers to requests that are wrong, early, late, too big or not HTTP at all.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { readResponse, request, requestText } from './support/http.mjs';
import { POLLING_TARGET, PollingSession } from './support/polling.mjs';
import { Neighbour, SocketIoClient } from './support/socketio.mjs';
import { startServer } from './support/server.mjs';
import { Tcp } from './support/tcp.mjs';

const HEADERS_TIMEOUT_MS = 600;
const KEEP_ALIVE_TIMEOUT_MS = 600;
const server = await startServer({ headersTimeoutMs: HEADERS_TIMEOUT_MS, keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS });
after(() => server.close());
const neighbour = await Neighbour.join(server.port);

function unharmed(name, steps) {
  test(name, { timeout: 20_000 }, () => neighbour.unharmedBy(steps));
}

/** A request that Engine.IO refuses with `code`, both to the client and as the host's `connection_error`. */
function refuses(name, method, target, code, message, options) {
  unharmed(`${name} is refused with code ${code}`, async () => {
    const reported = new Promise((resolve) => server.io.engine.once('connection_error', resolve));
    const response = await request(server.port, method, target, options);
    assert.equal(response.status, 400);
    assert.match(response.headers['content-type'], /^application\/json/);
    assert.deepEqual(JSON.parse(response.body), { code, message });
    const error = await reported;
    assert.deepEqual([error.code, error.message], [code, message]);
  });
}

refuses('no transport', 'GET', '/socket.io/?EIO=4', 0, 'Transport unknown');
refuses('an unknown transport', 'GET', '/socket.io/?EIO=4&transport=pigeon', 0, 'Transport unknown');
refuses('an inherited property as transport', 'GET', '/socket.io/?EIO=4&transport=constructor', 0, 'Transport unknown');
refuses('an unknown sid on GET', 'GET', `${POLLING_TARGET}&sid=nobody`, 1, 'Session ID unknown');
refuses('an unknown sid on POST', 'POST', `${POLLING_TARGET}&sid=nobody`, 1, 'Session ID unknown', { body: '40' });
refuses('an inherited property as sid', 'GET', `${POLLING_TARGET}&sid=__proto__`, 1, 'Session ID unknown');
for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
  refuses(`a handshake by ${method}`, method, POLLING_TARGET, 2, 'Bad handshake method', method === 'POST' ? { body: '40' } : {});
}
refuses('a WebSocket transport without an upgrade', 'GET', '/socket.io/?EIO=4&transport=websocket', 3, 'Bad request');
refuses('protocol 3 when allowEIO3 is off', 'GET', '/socket.io/?EIO=3&transport=polling', 5, 'Unsupported protocol version');
refuses('a request without a protocol', 'GET', '/socket.io/?transport=polling', 5, 'Unsupported protocol version');

unharmed('another transport than the one of the session is refused with code 3 and the session lives', async () => {
  const session = await PollingSession.connect(server.port);
  const response = await request(server.port, 'GET', `/socket.io/?EIO=4&transport=websocket&sid=${session.sid}`);
  assert.equal(response.status, 400);
  assert.deepEqual(JSON.parse(response.body), { code: 3, message: 'Bad request' });
  await session.echo('alive');
});

unharmed('another protocol version than the one of the session is refused with code 3 and the session lives', async () => {
  const session = await PollingSession.connect(server.port);
  const response = await request(server.port, 'GET', `/socket.io/?EIO=3&transport=polling&sid=${session.sid}`);
  assert.equal(response.status, 400);
  assert.equal(JSON.parse(response.body).code, 3);
  await session.echo('alive');
});

for (const target of ['/', '/elsewhere', '/socket.i', '/%73ocket.io/?EIO=4&transport=polling']) {
  unharmed(`GET ${target} is outside of the path: 404`, async () => {
    assert.equal((await request(server.port, 'GET', target)).status, 404);
  });
}

unharmed('escapes in the query mean what they say', async () => {
  const response = await request(server.port, 'GET', '/socket.io/?E%49O=%34&transport=pollin%67&x=%zz&y=a+b');
  assert.equal(response.status, 200);
  assert.match(response.body, /^0\{"sid"/);
});

unharmed('polling responses are not to be stored', async () => {
  const response = await request(server.port, 'GET', POLLING_TARGET);
  assert.equal(response.headers['cache-control'], 'no-store');
  assert.match(response.headers['content-type'], /^text\/plain; charset=UTF-8$/i);
});

for (const [name, bytes] of [
  ['random bytes', Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167 + 13) & 0xff))],
  ['a TLS ClientHello', Buffer.from('16030100c8010000c40303', 'hex')],
  ['zeros', Buffer.alloc(4096)],
  ['a line that is no request', Buffer.from('HELLO SERVER\r\n\r\n')],
  ['an unknown HTTP version', Buffer.from('GET / HTTP/9.9\r\nHost: a\r\n\r\n')],
  ['a header without a colon', Buffer.from('GET /socket.io/ HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n')],
  ['two different content lengths', Buffer.from('POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n40')],
  ['a negative content length', Buffer.from('POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n')],
  ['a chunk size that is no number', Buffer.from('POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')],
]) {
  unharmed(`${name} end with a 400 or nothing, and a closed connection`, async () => {
    const tcp = await Tcp.connect(server.port);
    await tcp.write(bytes);
    const answer = (await tcp.end()).toString('latin1');
    if (answer) assert.match(answer, /^HTTP\/1\.[01] (400|505) /);
  });
}

unharmed('a request line that never ends is cut off', async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(`GET /socket.io/?${'x'.repeat(1 << 20)}`);
  const answer = (await tcp.end()).toString('latin1');
  if (answer) assert.match(answer, /^HTTP\/1\.1 (400|414|431) /);
});

unharmed('a header that is too large is answered 431', async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', POLLING_TARGET, { Cookie: 'x'.repeat(64 * 1024) }));
  assert.equal((await readResponse(tcp)).status, 431);
  await tcp.end();
});

unharmed('headers that are too large together are answered 431', async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', POLLING_TARGET, Array.from({ length: 1000 }, (_, i) => `X-${i}: ${'y'.repeat(100)}`)));
  assert.equal((await readResponse(tcp)).status, 431);
  await tcp.end();
});

unharmed('a WebSocket request with hundreds of headers is served', async () => {
  const client = await SocketIoClient.connect(server.port, {
    headers: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`X-${i}`, 'y'])),
  });
  await client.echo('many');
  client.leave();
});

unharmed('headers that trickle in are cut off after headersTimeoutMs', async () => {
  const tcp = await Tcp.connect(server.port);
  const started = Date.now();
  let trickled = 0;
  await tcp.write(`GET ${POLLING_TARGET} HTTP/1.1\r\nHost: a\r\n`);
  const trickle = setInterval(() => { trickled++; tcp.write('x'); }, 50);
  try {
    await tcp.end();
  } finally {
    clearInterval(trickle);
  }
  const took = Date.now() - started;
  assert.ok(trickled > 3, 'the trickle kept the connection busy');
  assert.ok(took >= HEADERS_TIMEOUT_MS - 100 && took < HEADERS_TIMEOUT_MS + 1500, `closed after ${took} ms`);
});

unharmed('a connection that never says anything is cut off after headersTimeoutMs', async () => {
  const tcp = await Tcp.connect(server.port);
  const started = Date.now();
  await tcp.end();
  const took = Date.now() - started;
  assert.ok(took >= HEADERS_TIMEOUT_MS - 100 && took < HEADERS_TIMEOUT_MS + 1500, `closed after ${took} ms`);
});

unharmed('a kept-alive connection is reused, and closed after keepAliveTimeoutMs without a request', async () => {
  const tcp = await Tcp.connect(server.port);
  for (let i = 0; i < 3; i++) {
    await tcp.write(requestText('GET', POLLING_TARGET));
    assert.equal((await readResponse(tcp)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, KEEP_ALIVE_TIMEOUT_MS / 3));
  }
  const idleSince = Date.now();
  await tcp.end();
  const took = Date.now() - idleSince + KEEP_ALIVE_TIMEOUT_MS / 3;
  assert.ok(took >= KEEP_ALIVE_TIMEOUT_MS - 100 && took < KEEP_ALIVE_TIMEOUT_MS + 2500, `closed after ${took} ms`);
});

unharmed('a poll that waits longer than both time-outs is not cut off by them', async () => {
  const session = await PollingSession.connect(server.port);
  const waiting = session.nextPacket();
  await new Promise((resolve) => setTimeout(resolve, HEADERS_TIMEOUT_MS + KEEP_ALIVE_TIMEOUT_MS));
  await session.send('428["echo","late"]');
  assert.equal(await waiting, '438["late"]');
});

unharmed('pipelined handshakes are answered one after the other', async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', POLLING_TARGET).repeat(5));
  const sids = new Set();
  for (let i = 0; i < 5; i++) {
    const { status, body } = await readResponse(tcp);
    assert.equal(status, 200);
    sids.add(JSON.parse(body.slice(1)).sid);
  }
  assert.equal(sids.size, 5);
  tcp.destroy();
});

unharmed('a POST and the poll for its answer can be pipelined', async () => {
  const session = await PollingSession.open(server.port);
  const tcp = await Tcp.connect(server.port);
  for (const [post, answer] of [['40', '40{"sid":'], ['421["echo",1]', '431[1]']]) {
    await tcp.write(requestText('POST', session.target, {}, post) + requestText('GET', session.target));
    assert.equal((await readResponse(tcp)).body, 'ok');
    const { body } = await readResponse(tcp);
    assert.equal(body.slice(0, answer.length), answer);
  }
  tcp.destroy();
});

unharmed('a chunked POST is taken', async () => {
  const session = await PollingSession.open(server.port);
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('POST', session.target, { 'Transfer-Encoding': 'chunked' }));
  for (const part of ['1\r\n4\r\n', '1;ext=1\r\n0\r\n', '0\r\n\r\n']) await tcp.write(part);
  assert.equal((await readResponse(tcp)).body, 'ok');
  assert.match(await session.nextPacket(), /^40\{/);
  tcp.destroy();
});
