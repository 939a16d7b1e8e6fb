// The foot of the left column: one's own name, the theme, another name.

import { avatar, byId, h, icon } from './dom.js';
import { signOut } from './sign-in.js';
import { on, state } from './store.js';
import { isDark, toggleTheme } from './theme.js';
import { withDot } from './view-nav.js';

export function startMe() {
  on(['link'], draw);
}

function draw() {
  if (!state.me) return;
  const mark = withDot(avatar(state.me));
  mark.querySelector('.dot').dataset.presence = state.link === 'up' ? 'online' : 'offline';
  byId('me').replaceChildren(
    mark,
    h(
      'p',
      { class: 'me-text' },
      h('strong', {}, state.me.name),
      h('small', {}, state.link === 'up' ? 'online' : 'reconnecting'),
    ),
    h(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        title: 'Light or dark',
        'aria-label': 'Switch between light and dark',
        onclick: (event) => {
          toggleTheme();
          event.currentTarget.replaceChildren(icon(isDark() ? 'sun' : 'moon'));
        },
      },
      icon(isDark() ? 'sun' : 'moon'),
    ),
    h(
      'button',
      { type: 'button', class: 'icon-button', title: 'Use another name', 'aria-label': 'Use another name', onclick: signOut },
      icon('swap'),
    ),
  );
}
