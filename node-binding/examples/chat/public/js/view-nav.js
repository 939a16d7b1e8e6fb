// The left column: text channels, voice channels with who is in them, direct messages.

import { joinVoice, openChannel, openDirect } from './actions.js';
import { avatar, byId, h, icon, keyed } from './dom.js';
import { closeDrawers } from './drawers.js';
import { channelKey, dmKey, on, state } from './store.js';

export function startNav() {
  on(['channels', 'conversation'], drawText);
  on(['channels', 'voice'], drawVoice);
  on(['channels', 'conversation', 'online'], drawDirect);
}

function drawText() {
  keyed(
    byId('text-channels'),
    state.channels.filter(({ kind }) => kind === 'text'),
    ({ id }) => id,
    ({ id, name }) =>
      entry(() => openChannel(id), icon('hash'), name),
    (node, { id }) => updateEntry(node, channelKey(id)),
  );
}

function drawDirect() {
  byId('direct').hidden = state.peers.size === 0;
  keyed(
    byId('direct-messages'),
    [...state.peers.values()],
    ({ id }) => id,
    (peer) => entry(() => openDirect(peer), withDot(avatar(peer)), peer.name),
    (node, { id }) => {
      updateEntry(node, dmKey(id));
      updateDot(node, state.online.get(id));
    },
  );
}

function entry(open, mark, name) {
  const button = h(
    'button',
    {
      type: 'button',
      class: 'entry',
      onclick: () => {
        closeDrawers();
        open();
      },
    },
    mark,
    h('span', { class: 'entry-name' }, name),
    h('span', { class: 'badge', hidden: true }),
  );
  return h('li', {}, button);
}

function updateEntry(node, key) {
  const button = node.querySelector('button');
  const current = key === state.conversation?.key;
  if (current) button.setAttribute('aria-current', 'page');
  else button.removeAttribute('aria-current');
  const unread = state.unread.get(key) ?? 0;
  const badge = node.querySelector('.badge');
  badge.hidden = unread === 0;
  badge.textContent = unread > 99 ? '99+' : String(unread);
  badge.setAttribute('aria-label', `${unread} unread`);
  button.classList.toggle('unread', unread > 0);
}

function drawVoice() {
  keyed(
    byId('voice-channels'),
    state.channels.filter(({ kind }) => kind === 'voice'),
    ({ id }) => id,
    ({ id, name }) =>
      h(
        'li',
        {},
        h(
          'button',
          { type: 'button', class: 'entry', 'aria-label': `Join voice channel ${name}`, onclick: () => enter(id) },
          icon('speaker'),
          h('span', { class: 'entry-name' }, name),
        ),
        h('ul', { class: 'voice-members', 'aria-label': `In ${name}` }),
      ),
    (node, { id }) => {
      node.querySelector('button').classList.toggle('joined', state.myVoice?.channelId === id);
      drawVoiceMembers(node.querySelector('.voice-members'), id);
    },
  );
}

function enter(channelId) {
  if (state.myVoice?.channelId === channelId) return;
  closeDrawers();
  joinVoice(channelId, state.myVoice?.muted);
}

function drawVoiceMembers(list, channelId) {
  keyed(
    list,
    [...state.voice.values()].filter((member) => member.channelId === channelId),
    ({ userId }) => userId,
    ({ userId, name }) =>
      h('li', {}, avatar({ id: userId, name }), h('span', { class: 'entry-name' }, name), h('span', { class: 'mute-mark' })),
    (node, { muted }) => {
      if (node.dataset.muted === String(muted)) return;
      node.dataset.muted = muted;
      const mark = node.querySelector('.mute-mark');
      mark.replaceChildren(...(muted ? [icon('mic-off'), h('span', { class: 'hidden-label' }, 'muted')] : []));
    },
  );
}

/** An avatar with a presence dot at its corner. */
export function withDot(node) {
  return h('span', { class: 'with-dot' }, node, h('span', { class: 'dot', 'aria-hidden': 'true' }));
}

export function updateDot(node, presence) {
  node.querySelector('.dot').dataset.presence = !presence ? 'offline' : presence.idle ? 'idle' : 'online';
}
