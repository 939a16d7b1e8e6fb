// The socket: what the server sends becomes state. What the user does is in actions.js.

import { io } from '/vendor/socket.io.js';
import { ClientEvents, ServerEvents } from './events.js';
import { logIn } from './sign-in.js';
import { addMessage, changed, channelKey, dmKey, setMessages, setTyping, state } from './store.js';

// The server's leases last 60 s. They are renewed when figures arrive, since browsers slow the timers
// of hidden pages down to one a minute but not their sockets.
const RENEW_MS = 20_000;
// Longer than the pause between two typing events of a person who goes on typing.
const TYPING_GONE_MS = 8_000;
// socket.io-client does not come back by itself when the server asked it to go.
const RETURN_MS = 1_000;

let socket;
let renewedAt = 0;
const typingTimers = new Map();

/** Connects under this name; `refused(message)` is called if the server does not take it. */
export function connect(name, { transports, refused, joined, failed }) {
  state.link = 'connecting';
  changed('link');
  socket = io({
    // Asked for at every connection: a token does not outlive the server that signed it.
    auth: (send) => logIn(name).then(send, loginFailed),
    ...(transports && { transports }),
    reconnectionDelay: 300,
    reconnectionDelayMax: 3_000,
  });

  socket.on('connect', async () => {
    const snapshot = await request(ClientEvents.JOIN_ALL).catch(failed);
    if (!snapshot) return;
    takeSnapshot(snapshot);
    renewedAt = Date.now();
    joined();
  });

  socket.on('connect_error', (error) => {
    if (error.message === 'AUTH_FAILED') leave(error.data?.message ?? error.message);
  });

  function loginFailed(error) {
    if (error.refused) leave(error.message);
    // The server went away in between: begin again, as after any lost connection.
    else socket.io.engine.close();
  }

  function leave(problem) {
    state.link = 'signed-out';
    socket.close();
    changed('link');
    refused(problem);
  }

  socket.on('disconnect', (reason) => {
    if (state.link === 'signed-out') return;
    state.link = 'down';
    state.figures = null;
    state.typing.clear();
    changed('link', 'typing', 'figures');
    if (reason === 'io server disconnect') setTimeout(() => socket.connect(), RETURN_MS);
  });

  listen({ failed });
}

function takeSnapshot({ me, community, online, voice, threads }) {
  state.me = me;
  state.channels = community.channels;
  state.online = new Map(online.map((user) => [user.userId, user]));
  state.voice = new Map(voice.map((member) => [member.userId, member]));
  for (const { peer, messages } of threads) {
    state.peers.set(peer.id, peer);
    setMessages(dmKey(peer.id), messages);
  }
  state.link = 'up';
  changed('link', 'channels', 'online', 'voice');
}

function listen({ failed }) {
  socket.on(ServerEvents.NEW_MESSAGE, (message) => {
    dropTyping(message.channelId, message.author.id);
    addMessage(channelKey(message.channelId), message, message.author.id === state.me?.id);
  });

  socket.on(ServerEvents.NEW_DM, (message) => {
    const mine = message.author.id === state.me?.id;
    const peer = mine ? message.to : message.author;
    state.peers.set(peer.id, peer);
    addMessage(dmKey(peer.id), message, mine);
  });

  socket.on(ServerEvents.USER_ONLINE, (user) => {
    state.online.set(user.userId, user);
    changed('online');
  });

  socket.on(ServerEvents.USER_OFFLINE, ({ userId }) => {
    state.online.delete(userId);
    changed('online');
  });

  socket.on(ServerEvents.USER_TYPING, ({ channelId, userId, name, isTyping }) => {
    // Another window of this same user.
    if (userId === state.me?.id) return;
    dropTyping(channelId, userId);
    if (!isTyping) return;
    setTyping(channelId, userId, name);
    const timer = setTimeout(() => dropTyping(channelId, userId), TYPING_GONE_MS);
    typingTimers.set(`${channelId} ${userId}`, timer);
  });

  for (const event of [ServerEvents.VOICE_CHANNEL_USER_JOINED, ServerEvents.VOICE_CHANNEL_USER_UPDATED]) {
    socket.on(event, (member) => {
      state.voice.set(member.userId, member);
      changed('voice');
    });
  }

  socket.on(ServerEvents.VOICE_CHANNEL_USER_LEFT, ({ userId, channelId }) => {
    if (state.voice.get(userId)?.channelId !== channelId) return;
    state.voice.delete(userId);
    // Another window of this user took the place over, or the lease ran out.
    if (userId === state.me?.id && state.myVoice?.channelId === channelId) state.myVoice = null;
    changed('voice');
  });

  socket.on(ServerEvents.FIGURES, (figures) => {
    state.figures = figures;
    changed('figures');
    if (Date.now() - renewedAt > RENEW_MS) renewLeases();
  });

  socket.on(ServerEvents.ERROR, ({ message }) => failed(new Error(message)));
}

function dropTyping(channelId, userId) {
  const key = `${channelId} ${userId}`;
  clearTimeout(typingTimers.get(key));
  typingTimers.delete(key);
  setTyping(channelId, userId, null);
}

/** Tells the server that this window is there, and whether anybody looks at it. */
export function renewLeases() {
  if (state.link !== 'up') return;
  renewedAt = Date.now();
  socket.emit(ClientEvents.PRESENCE_ONLINE, { idle: document.hidden });
  if (state.myVoice) socket.emit(ClientEvents.VOICE_PRESENCE_REFRESH);
}

export function tell(event, payload) {
  if (state.link === 'up') socket.emit(event, payload);
}

/** Emits with an acknowledgement; rejects when the server refuses or is silent for five seconds. */
export async function request(event, payload) {
  const answer = await socket.timeout(5_000).emitWithAck(event, payload);
  // The same message comes as an `error` event, which is where it is shown.
  if (!answer.ok) throw Object.assign(new Error(answer.error), { shown: true });
  return answer;
}
