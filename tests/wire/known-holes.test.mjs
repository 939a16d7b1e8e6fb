// What opened holes in other servers, said to ours through each of its doors: own port, behind a Node HTTP server, and
// under socket.io. The answer may differ between doors; nobody else may feel anything, and nothing may be served twice.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import zlib from 'node:zlib';
import { Server, isNative, subject } from '../support/subject.mjs';
import { frame, OP, RSV1, RSV2, RSV3, text } from './support/frames.mjs';
import { readResponse, request, requestText } from './support/http.mjs';
import { POLLING_TARGET, PollingSession } from './support/polling.mjs';
import { Neighbour, SocketIoClient } from './support/socketio.mjs';
import { destroyAllConnections, Tcp } from './support/tcp.mjs';
import { handshakeHeaders, WebSocketClient, WS_TARGET } from './support/websocket.mjs';

const LIMIT = 2_000_000;
// A neighbour answers heartbeats only while it is asked how it is.
const OPTIONS = { pingInterval: 300_000, maxHttpBufferSize: LIMIT, allowEIO3: true, perMessageDeflate: { threshold: 1024 } };
const DEFLATE = { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover; client_no_context_takeover' };
/** 50 MB of one byte in 50 kB. */
const bomb = zlib.deflateRawSync(Buffer.alloc(50_000_000, 0x34), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);

async function attached(Class) {
  const httpServer = createServer((_, response) => response.writeHead(404).end());
  await new Promise((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  return new Class(httpServer, OPTIONS);
}

const doors = { [`${subject}, behind an HTTP server`]: () => attached(Server) };
if (isNative) {
  doors['own port'] = () => new Server(0, { host: '127.0.0.1', ...OPTIONS });
  doors.bridge = () => attached(createRequire(import.meta.url)('../support/bridge.cjs').Server);
}

for (const [door, start] of Object.entries(doors)) {
  const io = await start();
  const noted = [];
  io.on('connection', (socket) => {
    socket.on('echo', (...args) => args.pop()(...args));
    socket.on('note', (...args) => noted.push(args));
  });
  const { port } = io.httpServer.address();
  const neighbour = await Neighbour.join(port);
  after(async () => {
    destroyAllConnections();
    await io.close();
  });

  const unharmed = (name, steps) => test(`${name} (${door})`, { timeout: 30_000 }, () => neighbour.unharmedBy(steps));

  /** The session or connection may end by it; what matters is that it is answered. */
  async function posts(body, headers) {
    const session = await PollingSession.connect(port);
    const response = await session.post(body, headers);
    assert.ok([200, 400].includes(response.status), `${response.status} ${response.body}`);
    return session;
  }

  unharmed('a megabyte of nothing but separators is answered', () => posts('\x1e'.repeat(1_000_000)));
  unharmed('half a million packets of one byte in one POST are answered', () => posts('6\x1e'.repeat(500_000)));
  unharmed('a flood of pongs in one POST leaves the session as it was', async () => {
    const session = await posts(Array(300_000).fill('3').join('\x1e'));
    await session.echo('alive');
  });
  unharmed('a flood of pongs by WebSocket leaves the connection as it was', async () => {
    const client = await SocketIoClient.connect(port);
    await client.ws.send(Buffer.concat(Array(50_000).fill(text('3'))));
    await client.echo('alive');
    client.leave();
  });
  unharmed('300000 packets of protocol 3 in one POST are answered', async () => {
    const target = '/socket.io/?EIO=3&transport=polling';
    const { body } = await request(port, 'GET', target);
    const { sid } = JSON.parse(body.slice(body.indexOf('{'), body.indexOf('}') + 1));
    const response = await request(port, 'POST', `${target}&sid=${sid}`, { body: '1:6'.repeat(300_000) });
    assert.ok([200, 400].includes(response.status), `${response.status}`);
  });
  unharmed('a POST that says it is compressed is not inflated', async () => {
    const body = zlib.gzipSync('42["note","inflated"]').toString('latin1');
    await posts(body, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' });
    assert.deepEqual(noted, []);
  });

  unharmed('a compression bomb in small fragments stops at maxHttpBufferSize', async () => {
    const client = await SocketIoClient.connect(port, { headers: DEFLATE });
    assert.match(client.ws.response.headers['sec-websocket-extensions'], /^permessage-deflate/);
    const parts = [];
    for (let at = 0; at < bomb.length; at += 400) {
      const fin = at + 400 >= bomb.length;
      parts.push(frame(at ? OP.CONTINUATION : OP.TEXT, bomb.subarray(at, at + 400), { fin, rsv: at ? 0 : RSV1 }));
    }
    await client.ws.send(Buffer.concat(parts));
    assert.equal((await client.ending()).code, 1009);
  });

  for (const [bits, rsv] of [['RSV2', RSV2], ['RSV3', RSV3]]) {
    unharmed(`${bits} in the first frame of a probe ends the probe, and the session polls on`, async () => {
      const session = await PollingSession.connect(port);
      const ws = await WebSocketClient.open(port, { target: `${WS_TARGET}&sid=${session.sid}` });
      await ws.send(text('2probe', { rsv }));
      assert.equal((await ws.ending()).code, 1002);
      await session.echo('alive');
    });
  }

  for (const query of [
    'EIO[]=4&transport=polling', 'EIO=4&EIO=4&transport=polling', 'EIO=4&transport[]=polling', 'EIO=4&transport=__proto__',
    'EIO=4&transport=polling&transport=websocket', 'EIO=4&transport=polling&sid=__proto__', 'EIO=4&transport=polling&sid=constructor',
    'EIO=4&transport=polling&sid[]=a&sid[__proto__]=b', '__proto__[EIO]=4&transport=polling', 'EIO=4&transport=polling&sid=a&sid=b',
  ]) {
    unharmed(`the query ${query} is answered by a handshake or a code`, async () => {
      const { status, body } = await request(port, 'GET', `/socket.io/?${query}`);
      if (status === 200) return assert.match(body, /^(\d+:)?0\{"sid"/);
      assert.equal(status, 400);
      return assert.ok([0, 1, 2, 3, 5].includes(JSON.parse(body).code), body);
    });
  }

  for (const offer of ['constructor; __proto__', 'permessage-deflate; __proto__', 'permessage-deflate; server_max_window_bits=99',
    'permessage-deflate; client_no_context_takeover; client_no_context_takeover', `permessage-deflate${'; a'.repeat(2000)}`]) {
    unharmed(`the extension offer ${offer.slice(0, 80)} is left aside or refused`, async () => {
      const tcp = await Tcp.connect(port);
      await tcp.write(requestText('GET', WS_TARGET, handshakeHeaders({ 'Sec-WebSocket-Extensions': offer })));
      const { status, headers } = await readResponse(tcp);
      assert.ok([101, 400].includes(status), `${status}`);
      assert.equal(headers['sec-websocket-extensions'], undefined);
      tcp.destroy();
    });
  }

  unharmed('thousands of spaces in a list of subprotocols cost nothing', async () => {
    const tcp = await Tcp.connect(port);
    await tcp.write(requestText('GET', WS_TARGET, handshakeHeaders({ 'Sec-WebSocket-Protocol': `b${' '.repeat(10_000)}x` })));
    assert.ok([101, 400].includes((await readResponse(tcp)).status));
    tcp.destroy();
  });

  unharmed('2500 headers are answered or refused', async () => {
    const tcp = await Tcp.connect(port);
    await tcp.write(requestText('GET', POLLING_TARGET, Array.from({ length: 2500 }, () => 'a:')));
    assert.ok([200, 400, 431].includes((await readResponse(tcp)).status));
    tcp.destroy();
  });

  // Behind a proxy that takes the refusal for an upgrade, a second answer would be somebody's poisoned one.
  for (const [what, headers] of [['version', { 'Sec-WebSocket-Version': '777' }], ['key', { 'Sec-WebSocket-Key': 'short' }]]) {
    unharmed(`a request behind an upgrade with a bad ${what} is not answered, and the connection ends`, async () => {
      const tcp = await Tcp.connect(port);
      await tcp.write(requestText('GET', WS_TARGET, handshakeHeaders(headers)) + requestText('GET', POLLING_TARGET));
      const all = (await tcp.end()).toString('latin1');
      assert.match(all, /^HTTP\/1\.1 4\d\d /);
      assert.equal(all.match(/HTTP\/1\.1 \d/g).length, 1, all);
      assert.doesNotMatch(all, /"sid"/);
    });
  }

  for (const host of ['169.254.169.254', 'localhost:1']) {
    unharmed(`a request for http://${host} is answered here or not at all`, async () => {
      for (const upgrade of [false, true]) {
        const tcp = await Tcp.connect(port);
        const target = `http://${host}${upgrade ? WS_TARGET : POLLING_TARGET}`;
        await tcp.write(requestText('GET', target, upgrade ? handshakeHeaders() : { Connection: 'close' }));
        const { status } = await readResponse(tcp).catch(() => ({ status: 0 }));
        assert.ok([0, 101, 200, 400, 404].includes(status), `${status}`);
        tcp.destroy();
      }
    });
  }

  for (const [what, ...messages] of [
    ['an event named by an object', '42[{"toString":1}]'],
    ['an object with a toString as an event', '42{"toString":"note"}'],
    ['a placeholder whose number is a method', '451-["note",{"_placeholder":true,"num":"splice"}]', Buffer.from('x')],
    ['a placeholder whose number is __proto__', '451-["note",{"_placeholder":true,"num":"__proto__"}]', Buffer.from('x')],
    // socket.io takes it: the argument is undefined.
    ...(isNative && door !== 'bridge' ? [['a placeholder whose number is a fraction', '451-["note",{"_placeholder":true,"num":0.5}]', Buffer.from('x')]] : []),
    ['a placeholder whose number is enormous', '451-["note",{"_placeholder":true,"num":1e9}]', Buffer.from('x')],
    ['999999999 attachments', '45999999999-["note"]'],
  ]) {
    unharmed(`${what} closes the client, and the host hears nothing of it`, async () => {
      const client = await SocketIoClient.connect(port);
      for (const message of messages) await client.ws.send(Buffer.isBuffer(message) ? frame(OP.BINARY, message) : text(message));
      await client.ending();
      assert.deepEqual(noted, []);
    });
  }

  unharmed('the event error harms no host that does not listen to it', async () => {
    const client = await SocketIoClient.connect(port);
    await client.ws.send(text('42["error","x"]'));
    await client.echo('alive').catch(() => client.ending());
    client.ws.tcp.destroy();
  });
}
