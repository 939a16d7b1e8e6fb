// TLS under a polling session whose WebSocket comes to another shard: the connection moves there as a whole, and ends as
// others do.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { makeCertificate } from '../support/certificate.mjs';
import { ServerProcess } from './support/child.mjs';
import { FrameReader, text } from './support/frames.mjs';
import { requestText } from './support/http.mjs';
import { POLLING_TARGET } from './support/polling.mjs';
import { handshakeHeaders } from './support/websocket.mjs';

const CLIENTS = 6;
const server = await ServerProcess.start({
  // Connections go to the shards in turns, so each session's two come to different ones.
  options: { shards: 2, tls: makeCertificate(), httpCompression: false, maxOutboxBytes: 1 << 20 },
  reportEnds: true,
});
after(() => server.stop());

function connect() {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false }, () => resolve(socket));
    socket.on('error', reject);
  });
}

/** Everything that comes until `done` is content with it. */
function read(socket, done) {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const take = (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const result = done(bytes);
      if (result === undefined) return;
      socket.off('data', take);
      resolve(result);
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error(`closed after ${bytes.toString('latin1')}`)));
  });
}

const wholeAnswer = (bytes) => {
  const answer = bytes.toString('latin1');
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
  return answer.length >= head + 4 + length ? answer : undefined;
};

async function ask(socket, request) {
  const answer = read(socket, wholeAnswer);
  socket.write(request);
  return answer;
}

/** The payload of the first frame for which `wanted` holds. */
function frame(socket, wanted) {
  const reader = new FrameReader();
  let seen = 0;
  return read(socket, (bytes) => {
    const frames = reader.push(bytes.subarray(seen));
    seen = bytes.length;
    return frames.map(({ payload }) => payload.toString()).find(wanted);
  });
}

async function upgraded() {
  const polling = await connect();
  const sid = /"sid":"([^"]+)"/.exec(await ask(polling, requestText('GET', POLLING_TARGET)))[1];
  await ask(polling, requestText('POST', `${POLLING_TARGET}&sid=${sid}`, {}, '40'));
  const id = /40\{"sid":"([^"]+)"/.exec(await ask(polling, requestText('GET', `${POLLING_TARGET}&sid=${sid}`)))[1];
  const socket = await connect();
  const target = `/socket.io/?EIO=4&transport=websocket&sid=${sid}`;
  assert.match(await ask(socket, requestText('GET', target, handshakeHeaders())), /^HTTP\/1\.1 101 /);
  const probed = frame(socket, (packet) => packet === '3probe');
  socket.write(text('2probe'));
  await probed;
  const echoed = frame(socket, (packet) => packet.startsWith('431'));
  socket.write(Buffer.concat([text('5'), text('421["echo","moved"]')]));
  assert.equal(await echoed, '431["moved"]');
  polling.destroy();
  return { socket, id };
}

test('clients that stop reading after such an upgrade leave nothing behind', { timeout: 90_000 }, async () => {
  const warm = await upgraded();
  warm.socket.destroy();
  await server.settle(({ connections }) => connections === 0);
  const before = await server.descriptors();
  const clients = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await upgraded());
  for (const { socket } of clients) {
    socket.on('error', () => {});
    socket.pause();
  }
  for (let i = 0; i < 40; i++) await server.call('emit', { event: 'fill', args: ['x'.repeat(500_000)] });
  for (const { id } of clients) assert.equal((await server.end(id, 40_000)).reason, 'slow consumer');
  // The goodbye of what can't be written takes a few seconds at most.
  const deadline = Date.now() + 10_000;
  let now;
  do {
    await new Promise((resolve) => setTimeout(resolve, 100));
    now = await server.descriptors();
  } while (now > before && Date.now() < deadline);
  assert.ok(now <= before, `${before} descriptors before, ${now} after`);
  for (const { socket } of clients) socket.destroy();
});

test('a client that leaves after such an upgrade is gone at once', { timeout: 30_000 }, async () => {
  const { socket, id } = await upgraded();
  socket.destroy();
  assert.match((await server.end(id)).reason, /^transport (close|error)$/);
});
