// What a server answers to the steps of a client, in words that two servers can be compared by.
import { readResponse, requestText } from './http.mjs';
import { FrameReader, OP, frame } from './frames.mjs';
import { handshakeHeaders } from './websocket.mjs';
import { Tcp } from './tcp.mjs';

/** How long nothing has to come before a step counts as over. */
const QUIET_MS = 60;
/** Headers that clients act on; the order, the others and how a body's length is told are the HTTP server's. */
const SHOWN = ['content-type', 'cache-control', 'sec-websocket-version', 'sec-websocket-extensions', 'sec-websocket-protocol'];

const quiet = (ms = QUIET_MS) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `steps` against a server; gives what it answered, and what its host heard. */
export async function transcript({ port, seen }, steps) {
  seen.reasons.length = 0;
  seen.refused.length = 0;
  const client = new Client(port);
  try {
    await steps(client);
    await quiet();
    return { lines: client.lines, reasons: [...seen.reasons], refused: [...seen.refused] };
  } finally {
    client.leave();
    // What the host hears of their end belongs to no later transcript.
    await quiet();
  }
}

class Client {
  lines = [];
  #open = [];
  #names = new Map();

  constructor(port) { this.port = port; }

  leave() { for (const tcp of this.#open) tcp.destroy(); }

  /** Ids are random: they are numbered in the order in which they come. */
  name(text) {
    return text.replace(/"(sid|pid)":"([^"]+)"/g, (_, key, id) => {
      if (!this.#names.has(id)) this.#names.set(id, `id${this.#names.size}`);
      return `"${key}":"${this.#names.get(id)}"`;
    });
  }

  note(line) { this.lines.push(line); }

  async connect() {
    const tcp = await Tcp.connect(this.port);
    this.#open.push(tcp);
    return tcp;
  }

  /** Begins a request; what it gives notes the answer. */
  async begin(method, target, headers = {}, body) {
    const tcp = await this.connect();
    await tcp.write(requestText(method, target, headers, body));
    return async () => this.#answer(tcp);
  }

  /** Bytes on a connection of their own. */
  async raw(bytes) {
    const tcp = await this.connect();
    await tcp.write(bytes);
    return this.#answer(tcp);
  }

  async request(...args) { return (await this.begin(...args))(); }

  async #answer(tcp) {
    let answer;
    try {
      answer = await readResponse(tcp, 2000);
    } catch (error) {
      this.note(tcp.ended ? 'closed without an answer' : `no answer: ${error.message.slice(0, 20)}`);
      return { status: 0, body: '' };
    }
    const shown = SHOWN.filter((name) => answer.headers[name] !== undefined)
      .map((name) => `${name}: ${answer.headers[name].toLowerCase()}`);
    this.note([answer.status, ...shown, this.name(answer.body)].join(' | '));
    return answer;
  }

  /** Opens a polling session; gives its target. */
  async session(query = 'EIO=4', { join = true } = {}) {
    const target = `/socket.io/?${query}&transport=polling`;
    const { body } = await this.request('GET', target);
    const sid = /"sid":"([^"]+)"/.exec(body)?.[1];
    const mine = `${target.replace('&b64=1', '')}&sid=${sid}`;
    if (join && query.includes('EIO=4')) {
      await this.request('POST', mine, {}, '40');
      await this.request('GET', mine);
    }
    return mine;
  }

  /** A WebSocket, or the refusal of one. */
  async webSocket(target = '/socket.io/?EIO=4&transport=websocket', headers = {}) {
    const tcp = await this.connect();
    await tcp.write(requestText('GET', target, Array.isArray(headers) ? headers : handshakeHeaders(headers)));
    const answer = await this.#answer(tcp);
    if (answer.status !== 101) return undefined;
    return new Socket(this, tcp);
  }

  /** A WebSocket that has joined the main namespace. */
  async joined(target) {
    const socket = await this.webSocket(target);
    await socket.read();
    if (!target?.includes('EIO=3')) {
      await socket.say('40');
      await socket.read();
    }
    return socket;
  }
}

class Socket {
  #reader = new FrameReader();

  constructor(client, tcp) {
    this.client = client;
    this.tcp = tcp;
  }

  send(bytes) { return this.tcp.write(bytes); }
  say(text) { return this.send(frame(OP.TEXT, text)); }

  /** Notes what comes until nothing does. A close frame is answered, as clients do. */
  async read() {
    for (let silence = 0; silence < 3;) {
      const frames = this.#reader.push(this.tcp.take(this.tcp.bytes.length));
      for (const { opcode, payload, rsv } of frames) {
        const name = Object.keys(OP).find((key) => OP[key] === opcode);
        const shown = opcode === OP.TEXT ? this.client.name(payload.toString()) : payload.toString('hex');
        this.client.note(`${name}${rsv ? ` rsv ${rsv}` : ''} ${shown}`);
        if (opcode === OP.CLOSE) await this.send(frame(OP.CLOSE, payload));
      }
      silence = frames.length ? 0 : silence + 1;
      if (this.tcp.ended && !frames.length) break;
      await quiet(QUIET_MS / 3);
    }
    if (this.tcp.ended) {
      this.client.note('end of the connection');
      this.tcp.socket.end();
    }
  }
}
