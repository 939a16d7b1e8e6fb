// What the page knows. Views read `state` and subscribe to the topics they draw.

const MESSAGES_KEPT = 300;

export const state = {
  /** 'signed-out' | 'connecting' | 'up' | 'down' */
  link: 'signed-out',
  me: null,
  channels: [],
  /** { key, kind: 'channel' | 'dm', id, name, topic } */
  conversation: null,
  /** userId -> { userId, name, idle } */
  online: new Map(),
  /** userId -> { id, name }: everybody written with, online or not */
  peers: new Map(),
  /** conversation key -> messages, oldest first */
  messages: new Map(),
  /** conversation key -> number of messages not seen */
  unread: new Map(),
  /** channelId -> Map(userId -> name) */
  typing: new Map(),
  /** userId -> { channelId, userId, name, muted } */
  voice: new Map(),
  /** This window's place in voice, { channelId, muted }, kept while the connection is down. */
  myVoice: null,
  figures: null,
};

const subscribers = new Map();

/** Topics: link, channels, conversation, messages, online, typing, voice, figures. */
export function on(topics, draw) {
  for (const topic of topics) {
    if (!subscribers.has(topic)) subscribers.set(topic, []);
    subscribers.get(topic).push(draw);
  }
}

export function changed(...topics) {
  const draws = new Set(topics.flatMap((topic) => subscribers.get(topic) ?? []));
  for (const draw of draws) draw();
}

export const channelKey = (channelId) => `channel:${channelId}`;
export const dmKey = (userId) => `dm:${userId}`;

export function findChannel(id) {
  return state.channels.find((channel) => channel.id === id);
}

export function messagesOf(key) {
  return state.messages.get(key) ?? [];
}

export function setMessages(key, messages) {
  state.messages.set(key, messages.slice(-MESSAGES_KEPT));
  changed('messages');
}

export function addMessage(key, message, isMine) {
  const kept = messagesOf(key);
  if (kept.some(({ id }) => id === message.id)) return;
  state.messages.set(key, [...kept, message].slice(-MESSAGES_KEPT));
  const seen = isMine || (key === state.conversation?.key && !document.hidden);
  if (!seen) state.unread.set(key, (state.unread.get(key) ?? 0) + 1);
  changed('messages', 'channels');
}

export function setTyping(channelId, userId, name) {
  const typing = state.typing.get(channelId) ?? new Map();
  if (name === null) typing.delete(userId);
  else typing.set(userId, name);
  state.typing.set(channelId, typing);
  changed('typing');
}
