// What nearly every test begins with: a server that goes away with its clients when the test ends.
import { closeClients } from './clients.mjs';
import { startAttached, startServer } from './server.mjs';

export async function serve(t, options) {
  return endWith(t, await startServer(options));
}

export async function serveAttached(t, options, httpServer, scheme) {
  return endWith(t, await startAttached(options, httpServer, scheme));
}

function endWith(t, server) {
  t.after(async () => {
    closeClients();
    await server.close();
  });
  return server;
}
