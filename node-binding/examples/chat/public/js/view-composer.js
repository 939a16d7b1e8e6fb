// Where one writes, and who else is writing.

import { send, stopTyping, typed } from './actions.js';
import { byId, icon } from './dom.js';
import { on, state } from './store.js';

// What was begun in one conversation must not be sent to another.
const drafts = new Map();
let shownKey;

export function startComposer() {
  const form = byId('composer');
  const input = byId('composer-input');
  const button = form.querySelector('button');
  button.append(icon('send'));

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit(input);
  });
  input.addEventListener('keydown', (event) => {
    // isComposing: Enter that picks a word of an input method.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit(input);
  });
  input.addEventListener('input', () => {
    if (input.value.trim() === '') stopTyping();
    else typed();
    drawButton();
  });

  const drawButton = () => {
    button.disabled = state.link !== 'up' || input.value.trim() === '';
  };
  on(['link'], drawButton);
  on(['conversation', 'typing'], drawTyping);
  on(['conversation'], () => swapDraft(input));
  form.addEventListener('text-set', drawButton);
  drawButton();
}

async function submit(input) {
  const content = input.value.trim();
  if (content === '' || state.link !== 'up') return;
  const key = shownKey;
  setText(input, '');
  if (await send(content)) return;
  // What could not be sent comes back, unless the next message has been begun.
  if (key !== shownKey) drafts.set(key, drafts.get(key) || content);
  else if (input.value === '') setText(input, content);
}

function swapDraft(input) {
  const { key } = state.conversation;
  if (key === shownKey) return;
  drafts.set(shownKey, input.value);
  setText(input, drafts.get(key) ?? '');
  shownKey = key;
}

function setText(input, text) {
  input.value = text;
  input.form.dispatchEvent(new Event('text-set'));
}

function drawTyping() {
  const { conversation } = state;
  const names = conversation?.kind === 'channel' ? [...(state.typing.get(conversation.id)?.values() ?? [])] : [];
  const node = byId('typing');
  node.textContent = describe(names);
  node.classList.toggle('active', names.length > 0);
}

function describe(names) {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} more are typing…`;
}
