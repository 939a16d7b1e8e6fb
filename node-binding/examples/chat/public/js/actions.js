// What the user does, turned into client events.

import { request, tell } from './connection.js';
import { ClientEvents, rooms } from './events.js';
import { changed, channelKey, dmKey, findChannel, setMessages, state } from './store.js';

// Others forget a typing person after eight seconds, so it is told again before that.
const TYPING_AGAIN_MS = 3_000;
const TYPING_PAUSE_MS = 4_000;

let fail = () => {};

/** `failed(error)` shows what went wrong to the user. */
export function onFailure(failed) {
  fail = failed;
}

export async function openChannel(id) {
  const { name, topic } = findChannel(id);
  show({ key: channelKey(id), kind: 'channel', id, name, topic });
  try {
    const { messages } = await request(ClientEvents.JOIN_ROOM, rooms.channel(id));
    setMessages(channelKey(id), messages);
  } catch (error) {
    fail(error);
  }
}

export function openDirect(peer) {
  state.peers.set(peer.id, peer);
  show({ key: dmKey(peer.id), kind: 'dm', id: peer.id, name: peer.name, topic: 'Just the two of you' });
  tell(ClientEvents.JOIN_ROOM, rooms.presence(peer.id));
}

/** After a reconnect: the same place, with what was written meanwhile. */
export function reopen() {
  const { conversation } = state;
  if (conversation?.kind === 'dm') openDirect({ id: conversation.id, name: conversation.name });
  else openChannel(conversation?.id ?? state.channels.find(({ kind }) => kind === 'text').id);
  if (state.myVoice) joinVoice(state.myVoice.channelId, state.myVoice.muted);
}

function show(conversation) {
  const before = state.conversation;
  stopTyping();
  if (before?.kind === 'dm' && before.key !== conversation.key) {
    tell(ClientEvents.LEAVE_ROOM, rooms.presence(before.id));
  }
  state.conversation = conversation;
  state.unread.delete(conversation.key);
  changed('conversation', 'channels', 'messages', 'typing');
}

export function markSeen() {
  if (state.conversation && state.unread.delete(state.conversation.key)) changed('channels');
}

/** True when the server has taken the message. */
export async function send(content) {
  const { kind, id } = state.conversation;
  // The message itself ends the typing for everybody else.
  forgetTyping();
  try {
    if (kind === 'dm') await request(ClientEvents.SEND_DM, { to: id, content });
    else await request(ClientEvents.SEND_MESSAGE, { channelId: id, content });
    return true;
  } catch (error) {
    fail(error);
    return false;
  }
}

let typingIn = null;
let toldAt = 0;
let pause;

export function typed() {
  if (state.conversation?.kind !== 'channel') return;
  const { id } = state.conversation;
  if (typingIn !== id || Date.now() - toldAt > TYPING_AGAIN_MS) {
    typingIn = id;
    toldAt = Date.now();
    tell(ClientEvents.TYPING_START, { channelId: id });
  }
  clearTimeout(pause);
  pause = setTimeout(stopTyping, TYPING_PAUSE_MS);
}

export function stopTyping() {
  if (typingIn) tell(ClientEvents.TYPING_STOP, { channelId: typingIn });
  forgetTyping();
}

function forgetTyping() {
  clearTimeout(pause);
  typingIn = null;
}

export async function joinVoice(channelId, muted = false) {
  try {
    const member = await request(ClientEvents.VOICE_CHANNEL_JOIN, { channelId, muted });
    state.myVoice = { channelId: member.channelId, muted: member.muted };
  } catch (error) {
    state.myVoice = null;
    fail(error);
  }
  changed('voice');
}

export function leaveVoice() {
  tell(ClientEvents.VOICE_CHANNEL_LEAVE);
  state.myVoice = null;
  changed('voice');
}

export function setMuted(muted) {
  state.myVoice.muted = muted;
  tell(ClientEvents.VOICE_STATE_UPDATE, { muted });
  changed('voice');
}
