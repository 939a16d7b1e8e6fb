// The right column: who is online. A click opens a direct conversation.

import { openDirect } from './actions.js';
import { avatar, byId, h, keyed } from './dom.js';
import { closeDrawers } from './drawers.js';
import { findChannel, on, state } from './store.js';
import { updateDot, withDot } from './view-nav.js';

export function startPeople() {
  on(['online', 'voice'], draw);
}

function draw() {
  // Others may come online before the server has said who this window is.
  if (!state.me) return;
  const users = [...state.online.values()].sort((a, b) => a.name.localeCompare(b.name));
  byId('people-title').textContent = `Online — ${users.length}`;
  byId('open-people').dataset.count = users.length;
  keyed(byId('online'), users, ({ userId }) => userId, create, update);
}

function create({ userId, name }) {
  const user = { id: userId, name };
  const mine = userId === state.me.id;
  const button = h(
    'button',
    {
      type: 'button',
      class: 'entry person',
      disabled: mine,
      title: mine ? undefined : `Write to ${name}`,
      onclick: () => {
        closeDrawers();
        openDirect(user);
      },
    },
    withDot(avatar(user)),
    h('span', { class: 'person-text' }, h('span', { class: 'entry-name' }, name), h('small', {})),
  );
  return h('li', {}, button);
}

function update(node, user) {
  updateDot(node, user);
  const voice = state.voice.get(user.userId);
  const parts = [];
  if (user.userId === state.me.id) parts.push('you');
  if (voice) parts.push(`in ${findChannel(voice.channelId).name}`);
  if (user.idle) parts.push('away');
  node.querySelector('small').textContent = parts.join(' · ');
}
