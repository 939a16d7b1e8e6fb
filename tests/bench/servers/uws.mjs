// uWebSockets.js publish/subscribe with nothing on top but the packets that a Socket.IO client needs to see:
// the floor for a server whose application runs in JavaScript.

import { randomUUID } from 'node:crypto';
import { serve } from './lines.mjs';
import { uws, uwsVersion } from './uws-binary.mjs';

const PING_MS = 25_000;
let sockets = 0;

const http = uws.App().ws('/socket.io/', {
  idleTimeout: 0,
  // A burst is queued whole; by default a client that is 64 KiB behind would miss messages.
  maxBackpressure: 1 << 24,
  open(ws) {
    ws.send(`0{"sid":"${randomUUID()}","upgrades":[],"pingInterval":${PING_MS},"pingTimeout":20000,"maxPayload":1000000}`);
  },
  message(ws, data) {
    const text = Buffer.from(data).toString();
    if (text === '40') {
      sockets++;
      ws.subscribe('room');
      ws.send(`40{"sid":"${randomUUID()}"}`);
    } else if (text.startsWith('42')) {
      const start = text.indexOf('[');
      const [, argument] = JSON.parse(text.slice(start));
      ws.send(`43${text.slice(2, start)}${JSON.stringify([argument])}`);
    }
  },
  close() {
    sockets--;
  },
});
setInterval(() => http.publish('room', '2'), PING_MS);

http.listen('127.0.0.1', 0, (listening) => {
  serve({
    name: 'uWebSockets.js publish',
    version: uwsVersion,
    port: uws.us_socket_local_port(listening),
    count: () => sockets,
    emit: (message) => http.publish('room', `42${JSON.stringify(['m', message])}`),
  });
});
