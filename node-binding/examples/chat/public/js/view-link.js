// What the user has to know about the connection, and errors that pass.

import { byId, h } from './dom.js';
import { on, state } from './store.js';

const TOAST_MS = 5_000;
const TOASTS = 3;

export function startLinkBanner() {
  on(['link'], () => {
    const banner = byId('banner');
    banner.hidden = state.link !== 'down';
    banner.textContent = state.link === 'down' ? 'Connection lost. Reconnecting…' : '';
    document.body.dataset.link = state.link;
  });
}

export function toast(message) {
  const toasts = byId('toasts');
  const node = h('p', { class: 'toast' }, message);
  toasts.append(node);
  if (toasts.children.length > TOASTS) toasts.firstElementChild.remove();
  setTimeout(() => node.remove(), TOAST_MS);
}
