// The Socket.IO server under the chat: this repository's package, or with SUBJECT=socket.io the npm
// package it stands in for, to compare the two on the same page.

import { createRequire } from 'node:module';
import { locate } from './locate.mjs';

const require = createRequire(import.meta.url);

/**
 * `{ name, Server, setServer, sendToRoom, sendToAll, watch }`, where `watch(io)` gives a function that
 * reads the server's counters: connections, rooms, messagesIn, messagesOut.
 */
export function loadSubject(name = 'native') {
  if (name === 'native') {
    const { Server, setServer, sendToRoom, sendToAll } = require('../../..');
    return { name: 'kraken-ws-native', Server, setServer, sendToRoom, sendToAll, watch: (io) => () => io.stats() };
  }
  if (name === 'socket.io') return loadSocketIo();
  throw new Error(`SUBJECT: expected "native" or "socket.io", got "${name}"`);
}

function loadSocketIo() {
  const { Server } = require(locate('socket.io'));
  let server;
  return {
    name: 'socket.io',
    Server,
    setServer: (io) => {
      server = io;
    },
    sendToRoom: (room, event, payload) => server.to(room).emit(event, payload),
    sendToAll: (event, payload) => server.emit(event, payload),
    watch: watchSocketIo,
  };
}

// socket.io counts connections only; the rest is taken from its engine's packet events.
function watchSocketIo(io) {
  let messagesIn = 0;
  let messagesOut = 0;
  io.engine.on('connection', (engineSocket) => {
    engineSocket.on('packet', ({ type }) => {
      if (type === 'message') messagesIn += 1;
    });
    engineSocket.on('packetCreate', ({ type }) => {
      if (type === 'message') messagesOut += 1;
    });
  });
  return () => ({
    connections: io.engine.clientsCount,
    rooms: io.of('/').adapter.rooms.size,
    messagesIn,
    messagesOut,
  });
}
