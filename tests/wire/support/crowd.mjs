// Many cheap Socket.IO clients in one process: no promises per message, frames built once.
import net from 'node:net';
import { closePayload, frame, FrameReader, OP, text } from './frames.mjs';
import { requestText } from './http.mjs';
import { handshakeHeaders, WS_TARGET } from './websocket.mjs';

const HANDSHAKE = requestText('GET', WS_TARGET, handshakeHeaders());
const CONNECT = text('40');
const DISCONNECT = text('41');
const PONG = text('3');
const CLOSE = frame(OP.CLOSE, closePayload(1000));
const [OPEN_PACKET, PING_PACKET] = ['0', '2'].map((type) => type.charCodeAt(0));

/** The ways to leave; `leave` takes them in turn. */
export const WAYS_TO_LEAVE = ['reset', 'fin', 'close frame', 'disconnect packet'];

export class CrowdClient {
  #reader = new FrameReader();
  #head = Buffer.alloc(0);
  #upgraded = false;

  /** Resolves with a client that has joined the main namespace. `onText` gets the bytes of every later message. */
  static join(port, { onText = () => {}, localAddress } = {}) {
    return new Promise((resolve, reject) => {
      const client = new CrowdClient(net.connect({ port, host: '127.0.0.1', localAddress, noDelay: true }), onText);
      client.joined = resolve;
      client.socket.on('error', (error) => { client.error = error; });
      client.socket.on('close', () => reject(client.error ?? new Error('closed before the namespace was joined')));
    });
  }

  constructor(socket, onText) {
    this.socket = socket;
    this.onText = onText;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(HANDSHAKE);
    socket.on('data', (chunk) => this.#take(chunk));
  }

  /** Leaves in one of WAYS_TO_LEAVE; resolves when the connection is gone on this side. */
  leave(way) {
    if (way === 'reset') this.socket.resetAndDestroy();
    else if (way === 'fin') this.socket.end();
    else if (way === 'close frame') this.socket.write(CLOSE);
    else this.socket.end(DISCONNECT);
    return this.closed;
  }

  #take(chunk) {
    if (!this.#upgraded) {
      this.#head = Buffer.concat([this.#head, chunk]);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.#head.subarray(0, 13).equals(Buffer.from('HTTP/1.1 101 '))) {
        this.socket.destroy(new Error(this.#head.toString('latin1')));
        return;
      }
      this.#upgraded = true;
      chunk = this.#head.subarray(end + 4);
    }
    for (const { opcode, payload } of this.#reader.push(chunk)) {
      if (opcode === OP.CLOSE) this.socket.end();
      else if (payload[0] === PING_PACKET && payload.length === 1) this.socket.write(PONG);
      else if (payload[0] === OPEN_PACKET) this.socket.write(CONNECT);
      else if (this.joined) {
        this.id = JSON.parse(payload.subarray(2).toString()).sid;
        const { joined } = this;
        this.joined = null;
        joined(this);
      } else this.onText(payload);
    }
  }
}

/** `count` clients, at most `width` handshakes at a time. `onText(index, bytes)`. */
export async function gather(port, count, { onText = () => {}, width = 100 } = {}) {
  const clients = new Array(count);
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(width, count) }, async () => {
    while (next < count) {
      const index = next++;
      clients[index] = await CrowdClient.join(port, { onText: (bytes) => onText(index, bytes) });
    }
  }));
  return clients;
}
