// The name dialog, and the login behind it. The name belongs to the window, so two windows are two users.

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
  if (!dialog.open) {
    dialog.showModal();
    void offerMadeUp();
  }
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

/** Names to pick from, where the server has some. */
async function offerMadeUp() {
  const response = await fetch('/auth/users').catch(() => null);
  if (!response?.ok) return;
  const buttons = (await response.json()).map((name) => {
    const button = document.createElement('button');
    // Not a submit button: Enter in the name field would press the first of those.
    button.type = 'button';
    button.className = 'button';
    button.textContent = name;
    button.onclick = () => {
      byId('sign-in-name').value = name;
      byId('sign-in-form').requestSubmit();
    };
    return button;
  });
  byId('made-up').replaceChildren(...buttons);
}

/**
 * What the socket gives as `auth`: a token where there is a login (the NestJS example), else the name.
 * Rejects with `refused` set when the server does not take the name.
 */
export async function logIn(name) {
  const response = await fetch('/auth/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (response.status === 404) return { name };
  const { token, message } = await response.json();
  if (!response.ok) throw Object.assign(new Error(message), { refused: true });
  return { token };
}

export function remember(name) {
  sessionStorage.setItem(KEY, name);
  byId('sign-in').close();
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  location.href = '/';
}
