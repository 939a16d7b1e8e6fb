// Real clients: socket.io-client 4 and 2 in every transport they know, made so that nothing is shared
// between tests and everything opened is closed.
import { createRequire } from 'node:module';
import { io as connectV4 } from 'socket.io-client';
import { event, until } from './wait.mjs';

const require = createRequire(import.meta.url);
const connectV2 = require('socket.io-client-v2');
const clientMsgpack = require('socket.io-msgpack-parser');

export const TRANSPORTS = {
  websocket: ['websocket'],
  polling: ['polling'],
  upgrade: ['polling', 'websocket'],
};

const opened = new Set();

// A client that is connecting. `transport` is a key of TRANSPORTS.
export function open(url, { transport = 'websocket', msgpack = false, ...options } = {}) {
  const client = connectV4(url, {
    transports: TRANSPORTS[transport],
    forceNew: true,
    reconnection: false,
    ...(msgpack ? { parser: clientMsgpack } : {}),
    ...options,
  });
  opened.add(client);
  return client;
}

export async function connect(url, options) {
  const client = open(url, options);
  if (!client.connected) await connected(client);
  return client;
}

// Resolves on `connect`, rejects on `connect_error`, whichever comes first.
export function connected(client) {
  return Promise.race([
    event(client, 'connect'),
    new Promise((_, reject) => client.once('connect_error', reject)),
  ]);
}

// A connected client together with the server's socket for it.
export async function pair(io, url, options) {
  const arrived = event(io, 'connection');
  const client = await connect(url, options);
  const [socket] = await arrived;
  return { client, socket };
}

export function openV2(url, { transport = 'websocket', ...options } = {}) {
  const client = connectV2(url, {
    transports: TRANSPORTS[transport],
    forceNew: true,
    reconnection: false,
    ...options,
  });
  opened.add(client);
  return client;
}

// Until the client has left polling; the server follows a moment later.
export async function upgraded(client) {
  await until(() => client.io.engine.transport.name === 'websocket', 'upgrade to websocket');
}

// For afterEach: closes what the test opened, so that a failed test leaves no timers behind.
export function closeClients() {
  for (const client of opened) {
    // v4 clients keep the manager's socket even when the namespace was refused.
    client.io.reconnection(false);
    client.disconnect();
    client.io.engine?.close();
  }
  opened.clear();
}
