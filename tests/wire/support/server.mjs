// The subject, started in the test's own process on a free port of 127.0.0.1.
import { createServer } from 'node:http';
import { Server, isNative } from '../../support/subject.mjs';
import { PATIENCE_MS, destroyAllConnections } from './tcp.mjs';

/**
 * Starts a server whose sockets answer `echo` by acking its arguments.
 * `ends.reasonOf(id)` resolves with the reason of that socket's `disconnect`.
 * The HTTP time-outs are options of the native server and settings of Node's HTTP server for the oracle.
 */
export async function startServer(options = {}, onSocket = () => {}) {
  const io = isNative ? new Server(0, { host: '127.0.0.1', ...options }) : await oracle(options);
  const ends = new Ends();
  io.on('connection', (socket) => {
    socket.on('disconnect', (reason) => ends.add(socket.id, reason));
    socket.on('echo', (...args) => args.pop()(...args));
    onSocket(socket, io);
  });
  return {
    io,
    ends,
    port: io.httpServer.address().port,
    async close() {
      destroyAllConnections();
      await io.close();
    },
  };
}

async function oracle({ headersTimeoutMs, keepAliveTimeoutMs, ...options }) {
  const timeouts = { connectionsCheckingInterval: 50 };
  if (headersTimeoutMs) timeouts.headersTimeout = headersTimeoutMs;
  if (keepAliveTimeoutMs) timeouts.keepAliveTimeout = keepAliveTimeoutMs;
  const httpServer = createServer(timeouts, (request, response) => response.writeHead(404).end());
  await new Promise((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const io = new Server(httpServer, options);
  // A polling transport that is closed while no poll waits keeps a timer of 30 s, and with it this process.
  io.engine.on('connection', ({ transport }) => { if (transport.closeTimeout) transport.closeTimeout = 200; });
  return io;
}

class Ends {
  #reasons = new Map();
  #waiting = new Map();

  add(id, reason) {
    this.#reasons.set(id, reason);
    this.#waiting.get(id)?.(reason);
  }

  reasonOf(id, ms = PATIENCE_MS) {
    if (this.#reasons.has(id)) return Promise.resolve(this.#reasons.get(id));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`socket ${id} was not disconnected within ${ms} ms`)), ms);
      this.#waiting.set(id, (reason) => { clearTimeout(timer); resolve(reason); });
    });
  }
}
