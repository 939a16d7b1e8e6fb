// Many small things at once, and headers made to be expensive: what brought other servers down.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { subject } from '../support/subject.mjs';
import { text } from './support/frames.mjs';
import { readResponse, request, requestText } from './support/http.mjs';
import { POLLING_TARGET, PollingSession } from './support/polling.mjs';
import { startServer } from './support/server.mjs';
import { Neighbour, SocketIoClient } from './support/socketio.mjs';
import { Tcp } from './support/tcp.mjs';
import { WS_TARGET, WebSocketClient, handshakeHeaders } from './support/websocket.mjs';

let noted = 0;
const server = await startServer({ perMessageDeflate: true }, (socket) => socket.on('note', () => { noted += 1; }));
after(() => server.close());
const neighbour = await Neighbour.join(server.port);

function unharmed(name, steps) {
  test(name, { timeout: 30_000 }, () => neighbour.unharmedBy(steps));
}

unharmed('a flood of pongs that nobody asked for changes nothing, by WebSocket', async () => {
  const client = await SocketIoClient.connect(server.port);
  const pongs = Buffer.concat(Array.from({ length: 1000 }, () => text('3')));
  for (let n = 0; n < 50; n += 1) await client.ws.send(pongs);
  await client.echo('alive');
});

unharmed('a flood of pongs that nobody asked for changes nothing, by polling', async () => {
  const session = await PollingSession.connect(server.port);
  const body = Array.from({ length: 20_000 }, () => '3').join('\x1e');
  assert.equal((await session.post(body)).status, 200);
  await session.echo('alive');
});

unharmed('10,000 tiny events in one write are all heard', async () => {
  noted = 0;
  const client = await SocketIoClient.connect(server.port);
  await client.ws.send(Buffer.concat(Array.from({ length: 10_000 }, () => text('42["note"]'))));
  await client.echo('alive');
  assert.equal(noted, 10_000);
});

unharmed('a body of a megabyte of separators ends its session and nothing else', async () => {
  const session = await PollingSession.connect(server.port);
  await session.post('\x1e'.repeat(900_000));
  assert.equal((await request(server.port, 'GET', `${POLLING_TARGET}&sid=${session.sid}`)).status, 400);
});

unharmed('a body that says it is compressed is not inflated', async () => {
  const session = await PollingSession.connect(server.port);
  const target = `${POLLING_TARGET}&sid=${session.sid}`;
  await request(server.port, 'POST', target, { headers: { 'Content-Encoding': 'gzip' }, body: gzipSync('42["note"]').toString('latin1') });
  assert.equal((await request(server.port, 'GET', target)).status, 400);
});

for (const [name, value] of [
  ['Sec-WebSocket-Protocol', `b${' '.repeat(15_000)}x`],
  ['Sec-WebSocket-Protocol', ','.repeat(15_000)],
  ['Sec-WebSocket-Extensions', 'constructor; __proto__'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; server_max_window_bits=99'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits; client_max_window_bits'],
  ['Sec-WebSocket-Extensions', `permessage-deflate${'; a'.repeat(4000)}`],
  ['Sec-WebSocket-Extensions', ';'.repeat(15_000)],
]) {
  unharmed(`${name}: ${value.slice(0, 60)}… is ignored or refused`, async () => {
    const tcp = await Tcp.connect(server.port);
    await tcp.write(requestText('GET', WS_TARGET, handshakeHeaders({ [name]: value })));
    const { status, headers } = await readResponse(tcp);
    assert.ok([101, 400].includes(status), `${status}`);
    assert.equal(headers['sec-websocket-extensions'], undefined);
    tcp.destroy();
  });
}

// Node reads the first 2,000.
if (subject !== 'socket.io') unharmed('5,000 headers are refused', async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', WS_TARGET, [
    ...Object.entries(handshakeHeaders()).map(([header, value]) => `${header}: ${value}`),
    ...Array.from({ length: 5000 }, () => 'A: b'),
  ]));
  const { status } = await readResponse(tcp).catch(() => ({ status: 'cut' }));
  assert.ok([400, 431, 'cut'].includes(status), `${status}`);
  tcp.destroy();
});

unharmed('a request for somebody else\'s address is not passed on', async () => {
  const tcp = await Tcp.connect(server.port);
  await tcp.write(requestText('GET', 'http://169.254.169.254/latest/meta-data/', handshakeHeaders()));
  // An upgrade outside of the path may also be cut without an answer, as engine.io does.
  const answer = await readResponse(tcp).catch(() => undefined);
  if (answer) assert.ok([400, 404].includes(answer.status), `${answer.status}`);
  else assert.ok(tcp.ended);
  tcp.destroy();
});

unharmed('after a WebSocket version that is refused a second request is one of its own', async () => {
  const tcp = await Tcp.connect(server.port);
  const smuggled = requestText('GET', POLLING_TARGET);
  await tcp.write(requestText('GET', WS_TARGET, handshakeHeaders({ 'Sec-WebSocket-Version': '12345' })) + smuggled);
  assert.ok([400, 426].includes((await readResponse(tcp)).status));
  // Either the connection ends, or the request is answered as it would be alone.
  const second = await readResponse(tcp).catch(() => undefined);
  if (second) assert.match(second.body, /^0\{"sid"|^\{"code"/);
  tcp.destroy();
});

for (const query of ['EIO[]=4&transport=polling', 'EIO=4&EIO=4&transport=polling', 'EIO=4&transport[]=polling', 'EIO=__proto__&transport=polling']) {
  unharmed(`?${query} is answered`, async () => {
    const { status } = await request(server.port, 'GET', `/socket.io/?${query}`);
    assert.ok([200, 400].includes(status), `${status}`);
  });
}

unharmed('a client resets in the middle of its upgrade', async () => {
  const session = await PollingSession.connect(server.port);
  const probe = await WebSocketClient.open(server.port, { target: `${WS_TARGET}&sid=${session.sid}` });
  await probe.sendText('2probe');
  probe.tcp.reset();
  await session.echo('alive');
});
