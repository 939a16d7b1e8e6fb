// Many clients for little: WebSockets that speak just enough Socket.IO to connect, and count what they get.
import WebSocket from 'ws';
import { deferred, until, within } from '../../support/wait.mjs';
import { atEnd } from './at-end.mjs';

const AT_ONCE = 100;
const START_MS = 20_000;

// `count` clients of a server; `auth` goes with each. `messages` counts event packets by client.
export async function crowd(t, url, count, { auth = {} } = {}) {
  const clients = [];
  atEnd(t, () => {
    for (const { socket } of clients) socket.terminate();
  });
  while (clients.length < count) {
    const some = Math.min(AT_ONCE, count - clients.length);
    await within(Promise.all(Array.from({ length: some }, () => one(url, auth, clients))), 'a crowd', START_MS);
  }
  return {
    clients,
    // Until everybody got `total` messages, and not one more than that.
    got: (total) =>
      until(() => {
        if (clients.some(({ messages }) => messages > total)) throw new Error('a message came twice');
        return clients.every(({ messages }) => messages === total);
      }, `${total} messages for each of ${count}`, START_MS),
  };
}

function one(url, auth, clients) {
  const joined = deferred();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const client = { socket, messages: 0, last: undefined };
  socket.on('error', joined.reject);
  socket.on('message', (data) => {
    const text = data.toString();
    if (text[0] === '0') socket.send(`40${JSON.stringify(auth)}`);
    else if (text === '2') socket.send('3');
    else if (text.startsWith('40')) joined.resolve();
    else if (text.startsWith('42')) {
      client.messages += 1;
      client.last = text;
    }
  });
  clients.push(client);
  return joined.promise;
}
