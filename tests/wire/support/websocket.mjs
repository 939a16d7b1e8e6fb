// A WebSocket client that does only what the test tells it: no automatic pong, no automatic close.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Tcp, PATIENCE_MS } from './tcp.mjs';
import { readResponse, requestText } from './http.mjs';
import { FrameReader, OP, frame } from './frames.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
export const WS_TARGET = '/socket.io/?EIO=4&transport=websocket';

/** Handshake headers; a value of `undefined` in `overrides` leaves the header out. */
export function handshakeHeaders(overrides = {}) {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...overrides,
  };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

export class WebSocketClient {
  #reader = new FrameReader();
  #frames = [];

  /** Performs the handshake and asserts that it was done right. `early` bytes leave in the same write as the request. */
  static async open(port, { target = WS_TARGET, headers = {}, early = '', tcp: tcpOptions } = {}) {
    const tcp = await Tcp.connect(port, tcpOptions);
    const sent = handshakeHeaders(headers);
    await tcp.write(Buffer.concat([Buffer.from(requestText('GET', target, sent)), Buffer.from(early)]));
    const response = await readResponse(tcp);
    assert.equal(response.status, 101, `handshake refused: ${response.status} ${response.body}`);
    assert.equal(response.headers['sec-websocket-accept'], createHash('sha1').update(sent['Sec-WebSocket-Key'] + GUID).digest('base64'));
    return new WebSocketClient(tcp, response);
  }

  constructor(tcp, response) {
    this.tcp = tcp;
    this.response = response;
  }

  send(bytes) { return this.tcp.write(bytes); }
  sendText(payload) { return this.send(frame(OP.TEXT, payload)); }

  /** The next frame, whatever it is. */
  nextFrame(ms = PATIENCE_MS) {
    return this.tcp.until('WebSocket frame', () => this.#take(), ms);
  }

  /** The next frame, which has to be a whole, uncompressed text message. */
  async nextText(ms) {
    const got = await this.nextFrame(ms);
    assert.equal(got.opcode, OP.TEXT, `expected text, got opcode ${got.opcode} ${JSON.stringify(got.payload.toString('latin1'))}`);
    assert.ok(got.fin && got.rsv === 0);
    return got.payload.toString('utf8');
  }

  /**
   * Waits until the server ends the connection and says how: `code` is that of its close frame
   * (1005 for one without a code, null for no close frame at all). Our half of the close handshake is played.
   */
  async ending(ms = PATIENCE_MS) {
    const deadline = Date.now() + ms;
    let code = null;
    let reason = '';
    for (;;) {
      const got = this.#take();
      if (got?.opcode === OP.CLOSE && code === null) {
        code = got.payload.length ? got.payload.readUInt16BE(0) : 1005;
        reason = got.payload.subarray(2).toString('utf8');
        await this.send(frame(OP.CLOSE, got.payload.subarray(0, 2)));
      } else if (!got) {
        if (this.tcp.ended) break;
        await this.tcp.until('end of the connection', () => (this.tcp.ended || this.tcp.bytes.length ? true : undefined), Math.max(1, deadline - Date.now()));
      }
    }
    this.tcp.destroy();
    return { code, reason, error: this.tcp.error?.code ?? null };
  }

  #take() {
    if (this.tcp.bytes.length) {
      for (const one of this.#reader.push(this.tcp.take(this.tcp.bytes.length))) {
        assert.equal(one.masked, false, 'a server must not mask its frames');
        this.#frames.push(one);
      }
    }
    return this.#frames.shift();
  }
}
