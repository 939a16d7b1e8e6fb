// How long an HTTP connection may take for what: heads, bodies, answers and nothing at all. Each time-out has its own
// length here, so that one can't pass for another.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { readResponse, requestText } from './support/http.mjs';
import { POLLING_TARGET, PollingSession } from './support/polling.mjs';
import { startServer } from './support/server.mjs';
import { Tcp } from './support/tcp.mjs';

const HEADERS_MS = 300;
const KEEP_ALIVE_MS = 3000;
const BODY_MS = 600;
const MiB = 1024 * 1024;
const options = {
  headersTimeoutMs: HEADERS_MS,
  keepAliveTimeoutMs: KEEP_ALIVE_MS,
  requestTimeoutMs: BODY_MS,
  httpCompression: false,
  maxOutboxBytes: 64 * MiB,
};
const server = await startServer(options);
after(() => server.close());

const between = (took, least, most) => assert.ok(took > least - 100 && took < most, `after ${took} ms`);

test('a connection that is kept alive idles for keepAliveTimeoutMs, not for headersTimeoutMs', async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', POLLING_TARGET));
  await readResponse(tcp);
  const since = Date.now();
  await tcp.end();
  between(Date.now() - since, KEEP_ALIVE_MS, KEEP_ALIVE_MS + 1500);
});

test('the head of a later request has headersTimeoutMs from its first byte', async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', POLLING_TARGET));
  await readResponse(tcp);
  await new Promise((resolve) => setTimeout(resolve, KEEP_ALIVE_MS / 3));
  const since = Date.now();
  await tcp.write('GET /socket.io/');
  await tcp.end();
  between(Date.now() - since, HEADERS_MS, KEEP_ALIVE_MS / 2);
});

test('a body that trickles in is answered 408 after requestTimeoutMs, and its session ends', async () => {
  const session = await PollingSession.connect(server.port);
  const tcp = await Tcp.connect(server.port);
  const since = Date.now();
  await tcp.write(`POST ${session.target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n4`);
  const trickle = setInterval(() => tcp.write('x'), 50);
  try {
    assert.equal((await readResponse(tcp)).status, 408);
  } finally {
    clearInterval(trickle);
  }
  between(Date.now() - since, BODY_MS, BODY_MS + 1500);
  assert.equal(await server.ends.reasonOf(session.id), 'transport error');
});

test('a poll waits as long as it takes', async () => {
  const session = await PollingSession.connect(server.port);
  const polled = session.poll({ ms: 20_000 });
  await new Promise((resolve) => setTimeout(resolve, 2 * KEEP_ALIVE_MS));
  server.io.to(session.id).emit('late');
  assert.equal((await polled).body, '42["late"]');
});

/** A polling client whose next answer has `bytes`, on a connection whose bytes it takes when it likes. */
async function longAnswer(bytes) {
  const session = await PollingSession.connect(server.port);
  for (let left = bytes; left > 0; left -= 500_000) server.io.to(session.id).emit('fill', 'x'.repeat(500_000));
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.pause();
  socket.write(requestText('GET', session.target));
  return { session, socket };
}

test('an answer that is being read is not cut, however long that takes', { timeout: 60_000 }, async () => {
  // More than the kernel takes at once, at a pace of which it sees something each second: it tells of room by the megabyte.
  const { session, socket } = await longAnswer(18 * MiB);
  let got = 0;
  const since = Date.now();
  let total = Infinity;
  let head = '';
  while (got < total) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    for (let piece = 0, chunk; piece < 600_000 && (chunk = socket.read()) !== null; piece += chunk.length) {
      got += chunk.length;
      if (total !== Infinity) continue;
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end >= 0) total = end + 4 + Number(/content-length: (\d+)/i.exec(head)[1]);
    }
    assert.ok(!(socket.destroyed || socket.readableEnded) || got >= total, `cut after ${got} of ${total} bytes`);
  }
  assert.ok(Date.now() - since > 2 * KEEP_ALIVE_MS, 'it was read too fast to show anything');
  socket.destroy();
  await session.echo('alive');
});

test('an answer of which nothing is taken ends its connection after keepAliveTimeoutMs', { timeout: 30_000 }, async () => {
  const { socket } = await longAnswer(24 * MiB);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => setTimeout(resolve, 2 * KEEP_ALIVE_MS));
  const before = socket.bytesRead;
  socket.resume();
  await closed;
  assert.ok(socket.bytesRead - before < 20 * MiB, 'the whole answer came');
});
