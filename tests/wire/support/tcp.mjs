// One TCP connection whose bytes the test reads and writes itself.
import net from 'node:net';

/** How long a test waits for the server before it calls the silence a failure. */
export const PATIENCE_MS = 5000;

const open = new Set();

export class Tcp {
  /** Bytes that arrived and nobody has taken yet. */
  bytes = Buffer.alloc(0);
  /** The server has sent its FIN, or the connection is gone. */
  ended = false;
  /** The error that ended the connection, such as ECONNRESET. */
  error = null;
  #waiters = new Set();

  static async connect(port, options = {}) {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...options });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Tcp(socket);
  }

  constructor(socket) {
    this.socket = socket;
    open.add(this);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.bytes = this.bytes.length ? Buffer.concat([this.bytes, chunk]) : chunk;
      this.#wake();
    });
    socket.on('end', () => this.#finish());
    socket.on('error', (error) => { this.error = error; });
    socket.on('close', () => { open.delete(this); this.#finish(); });
  }

  /** Resolves once the bytes have left this process. Errors of a connection the server has cut are not the writer's news. */
  write(data) {
    return new Promise((resolve) => this.socket.write(data, () => resolve()));
  }

  /** Calls `step` on every change until it gives something; a closed connection or silence is an error that names `what`. */
  async until(what, step, ms = PATIENCE_MS) {
    const deadline = Date.now() + ms;
    for (;;) {
      const value = step();
      if (value !== undefined) return value;
      if (this.ended) throw new Error(`connection ended while waiting for ${what}${this.error ? ` (${this.error.code})` : ''}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no ${what} within ${ms} ms; unread: ${JSON.stringify(this.bytes.subarray(0, 200).toString('latin1'))}`);
      await this.#change(left);
    }
  }

  /** Resolves with everything unread once the server has closed the connection. */
  async end(ms = PATIENCE_MS) {
    const deadline = Date.now() + ms;
    while (!this.ended) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the server did not close the connection within ${ms} ms; unread: ${JSON.stringify(this.bytes.subarray(0, 200).toString('latin1'))}`);
      await this.#change(left);
    }
    return this.bytes;
  }

  take(count) {
    const taken = this.bytes.subarray(0, count);
    this.bytes = this.bytes.subarray(count);
    return taken;
  }

  /** Leaves with a RST. */
  reset() { this.socket.resetAndDestroy(); }

  /** Leaves with a FIN. */
  destroy() { this.socket.destroy(); }

  #change(ms) {
    return new Promise((resolve) => {
      const done = () => { clearTimeout(timer); this.#waiters.delete(done); resolve(); };
      const timer = setTimeout(done, ms);
      this.#waiters.add(done);
    });
  }

  #wake() { for (const waiter of [...this.#waiters]) waiter(); }

  #finish() { this.ended = true; this.#wake(); }
}

/** Cuts every connection this test process still holds, so that it can exit. */
export function destroyAllConnections() {
  for (const tcp of [...open]) tcp.destroy();
}
