// A small Kraken on one port: the page over HTTP and Socket.IO beside it.
//
//   PORT     port to listen on, 3000 unless given; a free one when it is taken
//   HOST     address to listen on, 127.0.0.1 unless given
//   SUBJECT  native (this repository's package) or socket.io

import { createServer } from 'node:http';
import { ServerEvents } from './public/js/events.js';
import { startFigures } from './server/figures.mjs';
import { startGateway } from './server/gateway.mjs';
import { createPage } from './server/page.mjs';
import { loadSubject } from './server/subject.mjs';

const subject = loadSubject(process.env.SUBJECT);
const host = process.env.HOST ?? '127.0.0.1';
const port = Number(process.env.PORT ?? 3000);

const httpServer = createServer(createPage());
// A chat message is 2000 characters at most, so nothing near socket.io's default of 1 MB is due.
const io = new subject.Server(httpServer, { maxHttpBufferSize: 65_536 });
subject.setServer(io);
const stopGateway = startGateway(io, subject);
const stopFigures = startFigures(subject.name, subject.watch(io), (figures) =>
  subject.sendToAll(ServerEvents.FIGURES, figures),
);

httpServer.once('error', (error) => {
  if (error.code !== 'EADDRINUSE') throw error;
  httpServer.listen(0, host);
});
httpServer.once('listening', () => {
  const { address, family, port: actual } = httpServer.address();
  console.log(`Kraken demo: http://${family === 'IPv6' ? `[${address}]` : address}:${actual}/`);
});
httpServer.listen(port, host);

// With the timers stopped and the server closed nothing is left to keep the process alive.
function shutDown() {
  stopFigures();
  stopGateway();
  io.close();
}
process.once('SIGINT', shutDown);
process.once('SIGTERM', shutDown);
