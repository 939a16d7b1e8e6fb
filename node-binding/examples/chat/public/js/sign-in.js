// The name dialog. The name belongs to the window, so two windows are two users.

import { byId } from './dom.js';

const KEY = 'kraken-name';

/** The name from `?name=` or from before a reload, if there is one. */
export function knownName() {
  return new URLSearchParams(location.search).get('name') ?? sessionStorage.getItem(KEY);
}

/** Asks for a name; resolves with it. `problem` says what was wrong with the last one. */
export function askName(problem = '') {
  const dialog = byId('sign-in');
  const form = byId('sign-in-form');
  const input = byId('sign-in-name');
  byId('sign-in-error').textContent = problem;
  input.setAttribute('aria-invalid', String(problem !== ''));
  if (!dialog.open) dialog.showModal();
  input.select();
  // There is nothing behind the dialog to go back to.
  dialog.oncancel = (event) => event.preventDefault();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (name !== '') resolve(name);
    };
  });
}

export function remember(name) {
  sessionStorage.setItem(KEY, name);
  byId('sign-in').close();
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  location.href = '/';
}
