// Engine.IO long-polling by hand, each request on a TCP connection of its own.
import assert from 'node:assert/strict';
import { request } from './http.mjs';

export const POLLING_TARGET = '/socket.io/?EIO=4&transport=polling';
/** Separates the packets of one polling payload (Engine.IO protocol v4). */
const SEPARATOR = '\x1e';

export class PollingSession {
  /** Packets of a poll that nobody asked for yet. */
  #queue = [];

  static async open(port) {
    const response = await request(port, 'GET', POLLING_TARGET);
    assert.equal(response.status, 200, response.body);
    assert.match(response.body, /^0\{/);
    return new PollingSession(port, JSON.parse(response.body.slice(1)));
  }

  /** Opens a session and joins the main namespace. */
  static async connect(port) {
    const session = await PollingSession.open(port);
    await session.send('40');
    const answer = await session.nextPacket();
    assert.match(answer, /^40\{/);
    session.id = JSON.parse(answer.slice(2)).sid;
    return session;
  }

  constructor(port, handshake) {
    this.port = port;
    this.sid = handshake.sid;
    this.handshake = handshake;
    this.target = `${POLLING_TARGET}&sid=${handshake.sid}`;
  }

  poll(options) { return request(this.port, 'GET', this.target, options); }
  post(body, headers = { 'Content-Type': 'text/plain;charset=UTF-8' }) { return request(this.port, 'POST', this.target, { body, headers }); }

  async send(...packets) {
    const response = await this.post(packets.join(SEPARATOR));
    assert.equal(response.status, 200, response.body);
    assert.equal(response.body, 'ok');
  }

  /** The next packet that is neither a heartbeat (answered on the way) nor a noop. */
  async nextPacket() {
    for (let polls = 0; polls < 20; polls++) {
      const packet = this.#queue.shift();
      if (packet === undefined) {
        const response = await this.poll();
        assert.equal(response.status, 200, response.body);
        this.#queue.push(...response.body.split(SEPARATOR));
      } else if (packet === '2') {
        await this.send('3');
      } else if (packet !== '6') {
        return packet;
      }
    }
    throw new Error('twenty polls brought no packet');
  }

  /** Proves that the session works in both directions. */
  async echo(value) {
    await this.send(`4299["echo",${JSON.stringify(value)}]`);
    assert.equal(await this.nextPacket(), `4399[${JSON.stringify(value)}]`);
  }

  /** Proves that the session is gone: its id is unknown. */
  async isGone() {
    const response = await this.poll();
    assert.equal(response.status, 400);
    assert.equal(JSON.parse(response.body).code, 1);
  }
}
