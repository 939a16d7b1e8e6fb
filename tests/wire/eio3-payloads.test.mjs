// Engine.IO protocol 3, where a polling payload carries the length of each packet: lengths that lie.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { request } from './support/http.mjs';
import { startServer } from './support/server.mjs';
import { Neighbour } from './support/socketio.mjs';
import { WebSocketClient } from './support/websocket.mjs';

const server = await startServer({ allowEIO3: true });
after(() => server.close());
const neighbour = await Neighbour.join(server.port);
const TARGET = '/socket.io/?EIO=3&transport=polling&b64=1';

/** Packets of a v3 text payload; lengths count UTF-16 code units. */
function packets(payload) {
  const found = [];
  for (let at = 0; at < payload.length;) {
    const colon = payload.indexOf(':', at);
    const length = Number(payload.slice(at, colon));
    assert.ok(Number.isInteger(length), payload);
    found.push(payload.slice(colon + 1, colon + 1 + length));
    at = colon + 1 + length;
  }
  return found;
}

class Session {
  static async open() {
    const response = await request(server.port, 'GET', TARGET);
    assert.equal(response.status, 200, response.body);
    const [open, ...rest] = packets(response.body);
    const session = new Session();
    session.sid = JSON.parse(open.slice(1)).sid;
    session.target = `${TARGET}&sid=${session.sid}`;
    // The main namespace is joined without asking; its packet may come with the handshake or with the first poll.
    assert.equal(rest[0] ?? packets((await session.poll()).body)[0], '40');
    return session;
  }

  poll() { return request(server.port, 'GET', this.target); }
  post(body) { return request(server.port, 'POST', this.target, { body, headers: { 'Content-Type': 'text/plain;charset=UTF-8' } }); }

  async echo(value) {
    const event = `425["echo",${JSON.stringify(value)}]`;
    assert.equal((await this.post(`${event.length}:${event}`)).body, 'ok');
    assert.deepEqual(packets((await this.poll()).body), [`435[${JSON.stringify(value)}]`]);
  }
}

function unharmed(name, steps) {
  test(name, { timeout: 15_000 }, () => neighbour.unharmedBy(async () => steps(await Session.open())));
}

unharmed('lengths count UTF-16 code units in both directions', async (session) => {
  for (const value of ['plain', 'é€', '😀 and 👩‍👩‍👧']) await session.echo(value);
});

unharmed('several packets of one payload are all taken', async (session) => {
  await session.post('15:421["echo","a"]15:422["echo","b"]');
  const answers = packets((await session.poll()).body);
  if (answers.length < 2) answers.push(...packets((await session.poll()).body));
  assert.deepEqual(answers, ['431["a"]', '432["b"]']);
});

for (const [what, payload] of [
  ['a length that is longer than the payload', '99:42["x"]'],
  ['a length that is shorter than its packet', '3:42["x"]'],
  ['a negative length', '-7:42["x"]'],
  ['a length beyond every integer', '99999999999999999999999999:42["x"]'],
  ['a length that is no number', 'seven:42["x"]'],
  ['no length at all', '42["x"]'],
  ['an empty length', ':42["x"]'],
  ['an empty payload', ''],
  ['an unknown packet type', '2:9x'],
]) {
  unharmed(`${what} closes the session`, async (session) => {
    await session.post(payload);
    const response = await session.poll();
    if (response.status === 200) assert.ok(packets(response.body).some((packet) => packet === '1' || packet === '6'), response.body);
    const gone = await session.poll();
    assert.deepEqual([gone.status, JSON.parse(gone.body).code], [400, 1]);
  });
}

test('over WebSocket the client pings and the server answers, with the same word', { timeout: 15_000 }, async () => {
  const ws = await WebSocketClient.open(server.port, { target: '/socket.io/?EIO=3&transport=websocket' });
  assert.match(await ws.nextText(), /^0\{"sid"/);
  assert.equal(await ws.nextText(), '40');
  await ws.sendText('2');
  assert.equal(await ws.nextText(), '3');
  await ws.sendText('421["echo",1]');
  assert.equal(await ws.nextText(), '431[1]');
  ws.tcp.destroy();
});
