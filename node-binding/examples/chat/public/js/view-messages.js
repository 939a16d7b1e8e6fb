// The middle: the conversation's head and its messages.

import { markSeen } from './actions.js';
import { avatar, byId, h, keyed } from './dom.js';
import { fullTime, messageTime, shortTime } from './format.js';
import { messagesOf, on, state } from './store.js';

// Messages by one author this close together share one head.
const GROUP_MS = 5 * 60_000;
// So far from the end of the list a reader is taken to be at the end.
const NEAR_END_PX = 80;

let shownKey;
let lastId;

export function startMessages() {
  on(['conversation'], drawHead);
  on(['messages', 'conversation'], drawMessages);
  on(['channels', 'conversation'], drawTitle);
  const scroll = byId('messages-scroll');
  const jump = byId('jump');
  jump.addEventListener('click', () => {
    toEnd();
    byId('composer-input').focus();
  });
  scroll.addEventListener('scroll', () => {
    if (isNearEnd()) jump.hidden = true;
  });
  // A keyboard that opens or a composer that grows must not push the newest message out of sight.
  let height = scroll.clientHeight;
  new ResizeObserver(() => {
    if (scroll.scrollHeight - scroll.scrollTop - height < NEAR_END_PX) toEnd();
    height = scroll.clientHeight;
  }).observe(scroll);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) markSeen();
  });
}

function drawHead() {
  const { kind, name, topic } = state.conversation;
  const title = kind === 'channel' ? `#${name}` : name;
  byId('conversation-name').textContent = title;
  byId('conversation-topic').textContent = topic;
  byId('composer-input').placeholder = `Message ${title}`;
  byId('conversation-start').replaceChildren(
    h('h3', {}, kind === 'channel' ? `Welcome to #${name}` : name),
    h('p', {}, kind === 'channel' ? 'This is where the channel begins.' : 'This is where your conversation begins.'),
  );
}

function drawTitle() {
  if (!state.conversation) return;
  const unread = [...state.unread.values()].reduce((sum, each) => sum + each, 0);
  const { kind, name } = state.conversation;
  document.title = `${unread ? `(${unread}) ` : ''}${kind === 'channel' ? '#' : ''}${name} · Kraken`;
}

function drawMessages() {
  if (!state.conversation) return;
  const { key } = state.conversation;
  const messages = messagesOf(key);
  const switched = key !== shownKey;
  const follow = switched || isNearEnd();
  const last = messages.at(-1);
  const grown = last && last.id !== lastId;
  shownKey = key;
  lastId = last?.id;

  const rows = messages.map((message, at) => ({ message, grouped: isGrouped(messages[at - 1], message) }));
  keyed(byId('messages'), rows, ({ message }) => message.id, createMessage, updateMessage);

  if (follow || last?.author.id === state.me?.id) toEnd();
  else if (grown) byId('jump').hidden = false;
}

function isGrouped(before, message) {
  return (
    before?.author.id === message.author.id && Date.parse(message.sentAt) - Date.parse(before.sentAt) < GROUP_MS
  );
}

function createMessage({ message: { author, content, sentAt } }) {
  const time = h('time', { datetime: sentAt, title: fullTime(sentAt) });
  return h(
    'li',
    { class: 'message' },
    avatar(author),
    h('p', { class: 'message-head' }, h('strong', { class: 'author' }, author.name), time),
    h('p', { class: 'content' }, content),
  );
}

function updateMessage(node, { message, grouped }) {
  node.classList.toggle('grouped', grouped);
  node.querySelector('time').textContent = grouped ? shortTime(message.sentAt) : messageTime(message.sentAt);
}

function isNearEnd() {
  const { scrollHeight, scrollTop, clientHeight } = byId('messages-scroll');
  return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
}

function toEnd() {
  const scroll = byId('messages-scroll');
  scroll.scrollTop = scroll.scrollHeight;
  byId('jump').hidden = true;
}
