// Starts the subject on a free port of 127.0.0.1 and takes it down again.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { Server, isNative } from './subject.mjs';
import { deferred, within } from './wait.mjs';

// A server made from a port, as most programs make it. `host` is ours; socket.io binds to all addresses.
export async function startServer(options = {}) {
  const io = new Server(0, isNative ? { host: '127.0.0.1', ...options } : options);
  return wrap(io, () => io.httpServer.address().port);
}

// A server that lives beside an application's own routes on a Node HTTP or HTTPS server.
export async function startAttached(options = {}, httpServer = createHttpServer(notFound), scheme = 'http') {
  const io = new Server(httpServer, options);
  httpServer.listen(0, '127.0.0.1');
  await within(once(httpServer, 'listening'), 'http server listening');
  return { httpServer, ...wrap(io, () => httpServer.address().port, scheme) };
}

function notFound(_request, response) {
  response.writeHead(404).end('application 404');
}

function wrap(io, portOf, scheme = 'http') {
  const port = portOf();
  return {
    io,
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    // Resolves once the server is down; a second call is harmless.
    close: () => {
      const closed = deferred();
      io.close(() => closed.resolve());
      return within(closed.promise, 'io.close()');
    },
  };
}

export async function freePort() {
  const probe = createTcpServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
