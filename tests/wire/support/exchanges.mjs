// What clients say to an engine, right and wrong: the steps of each exchange. See as-engine-io.test.mjs.
import { OP, closePayload, frame, text } from './frames.mjs';
import { handshakeHeaders } from './websocket.mjs';

const WS = '/socket.io/?EIO=4&transport=websocket';
const POLL = '/socket.io/?EIO=4&transport=polling';
const lines = (headers) => Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
/** Handshake headers as lines, without those of that name, and `more`. */
const instead = (name, ...more) => [...lines(handshakeHeaders({ [name]: undefined })), ...more];

/** One body, posted to a session; then a poll shows what became of it. */
const posted = (name, body, { query = 'EIO=4', headers = {} } = {}) => ({
  name: `a POST of ${name}`,
  async steps(client) {
    const target = await client.session(query);
    await client.request('POST', target, headers, body);
    if (query === 'EIO=4') {
      const polled = await client.begin('GET', target);
      await client.request('POST', target, {}, '421["echo",1]');
      await polled();
    }
  },
});

/** Frames to a WebSocket that has joined; then all that comes back. */
const framed = (name, ...frames) => ({
  name: `a WebSocket sends ${name}`,
  async steps(client) {
    const socket = await client.joined();
    for (const bytes of frames) await socket.send(bytes);
    await socket.read();
  },
});

const opening = (name, headers, target) => ({
  name: `a WebSocket handshake with ${name}`,
  async steps(client) {
    const socket = await client.webSocket(target, headers);
    await socket?.read();
  },
});

const asking = (name, method, target, headers, body) => ({
  name,
  steps: (client) => client.request(method, target, headers, body),
});

export const CASES = [
  asking('a handshake without a transport', 'GET', '/socket.io/?EIO=4'),
  asking('transport given twice, the same', 'GET', `${POLL}&transport=polling`),
  asking('transport given twice, polling last', 'GET', '/socket.io/?EIO=4&transport=websocket&transport=polling'),
  asking('transport given twice, websocket last', 'GET', '/socket.io/?EIO=4&transport=polling&transport=websocket'),
  asking('EIO given twice', 'GET', '/socket.io/?EIO=4&transport=polling&EIO=3'),
  asking('an EIO of 5', 'GET', '/socket.io/?EIO=5&transport=polling'),
  asking('an EIO of 04', 'GET', '/socket.io/?EIO=04&transport=polling'),
  asking('an empty sid', 'GET', `${POLL}&sid=`),
  asking('an unknown sid', 'GET', `${POLL}&sid=nobody`),
  asking('a handshake by PATCH', 'PATCH', POLL),
  ...['PUT', 'DELETE', 'PATCH', 'OPTIONS'].map((method) => ({
    name: `${method} to a session`,
    async steps(client) {
      const target = await client.session();
      await client.request(method, target, {}, method === 'OPTIONS' ? undefined : 'x');
      await client.request('POST', target, {}, '421["echo",1]');
      await client.request('GET', target);
    },
  })),
  posted('nothing', ''),
  posted('a separator alone', '\x1e'),
  posted('an unknown type', 'x'),
  posted('an unknown type behind a good packet', '421["echo",1]\x1ex'),
  posted('a good packet behind an unknown type', 'x\x1e421["echo",1]'),
  posted('two packets', '421["echo",1]\x1e422["echo",2]'),
  posted('a close packet', '1'),
  posted('a close packet and one behind it', '1\x1e421["echo",1]'),
  posted('a good packet and a close packet', '421["echo",1]\x1e1'),
  posted('a ping', '2'),
  posted('an unasked pong', '3'),
  posted('a noop', '6'),
  posted('an upgrade packet', '5'),
  posted('an open packet', '0'),
  posted('too much', `4${'x'.repeat(20_000)}`),
  posted('the content type of binary', '421["echo",1]', { headers: { 'Content-Type': 'application/octet-stream' } }),
  posted('no length, protocol 3', '4hello', { query: 'EIO=3' }),
  posted('an unknown type, protocol 3', '1:x', { query: 'EIO=3' }),
  posted('nothing, protocol 3', '', { query: 'EIO=3' }),
  posted('a pong, protocol 3', '1:3', { query: 'EIO=3' }),
  posted('a ping, protocol 3', '1:2', { query: 'EIO=3' }),
  {
    name: 'a second poll at once',
    async steps(client) {
      const target = await client.session();
      const first = await client.begin('GET', target);
      await new Promise((resolve) => setTimeout(resolve, 30));
      await client.request('GET', target);
      await first();
      await client.request('GET', target);
    },
  },
  {
    name: 'a second POST at once',
    // An HTTP server in front gives us whole bodies.
    doors: ['own port'],
    async steps(client) {
      const target = await client.session();
      const tcp = await client.connect();
      await tcp.write(`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n42["echo"`);
      await new Promise((resolve) => setTimeout(resolve, 30));
      await client.request('POST', target, {}, '421["echo",1]');
      await client.request('GET', target);
    },
  },
  {
    name: 'a POST without content-length',
    async steps(client) {
      const target = await client.session();
      await client.raw(`POST ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await client.request('GET', target);
    },
  },
  {
    name: 'a POST in chunks',
    async steps(client) {
      const target = await client.session();
      await client.raw(`POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n421["\r\n8\r\necho",1]\r\n0\r\n\r\n`);
      await client.request('GET', target);
    },
  },
  {
    name: 'a namespace that refuses with data',
    async steps(client) {
      const socket = await client.joined();
      await socket.say('40/closed,{"b":1,"a":2}');
      await socket.read();
    },
  },
  {
    name: 'b64 on a WebSocket',
    async steps(client) {
      const socket = await client.joined(`${WS}&b64=1`);
      await socket.say('451-1["echo",{"_placeholder":true,"num":0}]');
      await socket.say('bAQID');
      await socket.read();
    },
  },

  opening('everything right', {}),
  opening('Connection in two lines', instead('Connection', 'Connection: keep-alive', 'Connection: Upgrade')),
  opening('Connection as a list', instead('Connection', 'Connection: keep-alive, Upgrade')),
  opening('Sec-WebSocket-Extensions in two lines', [...lines(handshakeHeaders()), 'Sec-WebSocket-Extensions: foo', 'Sec-WebSocket-Extensions: permessage-deflate']),
  opening('extensions that can not be read', { 'Sec-WebSocket-Extensions': 'a=,;' }),
  opening('a subprotocol', { 'Sec-WebSocket-Protocol': 'a, b' }),
  opening('no key', { 'Sec-WebSocket-Key': undefined }),
  opening('a short key', { 'Sec-WebSocket-Key': 'abc' }),
  opening('two keys', [...lines(handshakeHeaders()), 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']),
  opening('no version', { 'Sec-WebSocket-Version': undefined }),
  opening('version 7', { 'Sec-WebSocket-Version': '7' }),
  opening('version 8', { 'Sec-WebSocket-Version': '8' }),
  opening('another upgrade', { Upgrade: 'h2c' }),
  opening('an EIO of 5', {}, '/socket.io/?EIO=5&transport=websocket'),
  opening('no EIO', {}, '/socket.io/?transport=websocket'),
  opening('an unknown transport', {}, '/socket.io/?EIO=4&transport=pigeon'),
  opening('an unknown sid', {}, `${WS}&sid=nobody`),
  {
    name: 'a WebSocket of protocol 3 to a session of protocol 4',
    async steps(client) {
      const target = await client.session();
      await client.webSocket(target.replace('polling', 'websocket').replace('EIO=4', 'EIO=3'));
    },
  },

  framed('a ping of the engine', text('2')),
  framed('an unasked pong', text('3')),
  framed('an open packet', text('0')),
  framed('a noop', text('6')),
  framed('an upgrade packet', text('5')),
  framed('an unknown type', text('x')),
  framed('an empty text', text('')),
  framed('a Socket.IO packet that is none', text('4x')),
  framed('an event that is no JSON', text('42[')),
  framed('an event of a namespace that was not joined', text('42/other,["a"]')),
  framed('binary that nobody waits for', frame(OP.BINARY, Buffer.from([1]))),
  framed('base64 that nobody waits for', text('bAQ==')),
  framed('an event instead of its attachment', text('451-["a",{"_placeholder":true,"num":0}]'), text('42["b"]')),
  framed('DISCONNECT', text('41')),
  framed('a WebSocket ping', frame(OP.PING, 'abc')),
  framed('a close frame', frame(OP.CLOSE, closePayload(1000))),
  framed('a close frame without a code', frame(OP.CLOSE, '')),
  framed('a close frame with a code and a reason', frame(OP.CLOSE, closePayload(4001, 'bye'))),
  framed('a close frame with code 1005', frame(OP.CLOSE, closePayload(1005))),
  framed('a frame without a mask', text('42["a"]', { masked: false })),
  framed('reserved bits', text('42["a"]', { rsv: 0x20 })),
  framed('an unknown opcode', frame(3, 'a')),
  framed('text that is not UTF-8', frame(OP.TEXT, Buffer.from([0xff, 0xfe]))),
  framed('a message that is too big', text(`4${'x'.repeat(20_000)}`)),
  framed('a continuation of nothing', frame(OP.CONTINUATION, 'a')),
  framed('a fragmented ping', frame(OP.PING, 'a', { fin: false })),
  {
    name: 'a probe that does not begin with its ping',
    async steps(client) {
      const target = await client.session();
      const socket = await client.webSocket(target.replace('polling', 'websocket'));
      await socket.say('42["a"]');
      await socket.read();
      await client.request('POST', target, {}, '421["echo",1]');
      await client.request('GET', target);
    },
  },
  {
    name: 'an upgrade without a probe',
    async steps(client) {
      const target = await client.session();
      const socket = await client.webSocket(target.replace('polling', 'websocket'));
      await socket.say('5');
      await socket.read();
      await socket.say('421["echo",1]');
      await socket.read();
    },
  },
  {
    name: 'a second probe at once',
    async steps(client) {
      const target = await client.session();
      const first = await client.webSocket(target.replace('polling', 'websocket'));
      await first.say('2probe');
      await first.read();
      const second = await client.webSocket(target.replace('polling', 'websocket'));
      await second.read();
    },
  },
  {
    name: 'a probe of a session that has upgraded',
    async steps(client) {
      const target = await client.session();
      const first = await client.webSocket(target.replace('polling', 'websocket'));
      await first.say('2probe');
      await first.read();
      await first.say('5');
      await first.read();
      const second = await client.webSocket(target.replace('polling', 'websocket'));
      await second?.read();
    },
  },
  {
    name: 'polls of a session that has upgraded',
    async steps(client) {
      const target = await client.session();
      const socket = await client.webSocket(target.replace('polling', 'websocket'));
      await socket.say('2probe');
      await socket.read();
      await socket.say('5');
      await socket.read();
      await client.request('GET', target);
      await client.request('POST', target, {}, '421["echo",1]');
    },
  },
];
