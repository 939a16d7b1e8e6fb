// Socket.IO over one raw WebSocket: enough protocol to join a namespace and to ask for an echo.
import assert from 'node:assert/strict';
import { WebSocketClient } from './websocket.mjs';
import { PATIENCE_MS } from './tcp.mjs';

export class SocketIoClient {
  #nextAck = 0;

  /** Opens a WebSocket, reads the Engine.IO handshake, joins the main namespace. */
  static async connect(port, options) {
    const ws = await WebSocketClient.open(port, options);
    const handshake = JSON.parse((await ws.nextText()).replace(/^0/, ''));
    await ws.sendText('40');
    const client = new SocketIoClient(ws, handshake);
    const answer = await client.nextPacket();
    assert.match(answer, /^40\{/, `CONNECT was answered ${answer}`);
    client.id = JSON.parse(answer.slice(2)).sid;
    return client;
  }

  constructor(ws, handshake) {
    this.ws = ws;
    this.handshake = handshake;
  }

  /** The next packet as text; heartbeats are answered on the way. */
  async nextPacket(ms = PATIENCE_MS) {
    for (;;) {
      const packet = await this.ws.nextText(ms);
      if (packet !== '2') return packet;
      await this.ws.sendText('3');
    }
  }

  sendText(payload) { return this.ws.sendText(payload); }

  /** Emits `echo` with an ack and asserts that exactly the arguments come back, as the very next packet. */
  async echo(...args) {
    const id = this.#nextAck++;
    await this.ws.sendText(`42${id}${JSON.stringify(['echo', ...args])}`);
    assert.equal(await this.nextPacket(), `43${id}${JSON.stringify(args)}`);
  }

  ending(ms) { return this.ws.ending(ms); }

  leave() { this.ws.tcp.destroy(); }
}

/** The client that others must not be able to harm. */
export class Neighbour {
  #count = 0;

  static async join(port) { return new Neighbour(await SocketIoClient.connect(port)); }

  constructor(client) { this.client = client; }

  /** Runs `badThing` while this client keeps echoing; every echo has to come back, in order, before, during and after. */
  async unharmedBy(badThing) {
    await this.client.echo(this.#count++);
    let over = false;
    const done = (async () => badThing())().finally(() => { over = true; });
    done.catch(() => {});
    while (!over) {
      await this.client.echo(this.#count++);
      await Promise.race([done.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 10))]);
    }
    await this.client.echo(this.#count++);
    return done;
  }
}
