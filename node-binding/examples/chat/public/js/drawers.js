// On narrow screens the side columns are drawers; the style sheet decides when.

import { byId, icon } from './dom.js';

const drawers = [
  { button: 'open-nav', panel: 'nav', icon: 'menu' },
  { button: 'open-people', panel: 'people', icon: 'people' },
];

export function startDrawers() {
  for (const drawer of drawers) {
    const button = byId(drawer.button);
    button.append(icon(drawer.icon));
    button.addEventListener('click', () => open(drawer));
  }
  byId('scrim').addEventListener('click', closeDrawers);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') closeDrawers();
  });
}

function open({ button, panel }) {
  document.body.dataset.drawer = panel;
  byId(button).setAttribute('aria-expanded', 'true');
  byId(panel).querySelector('button:not(:disabled)')?.focus();
}

export function closeDrawers() {
  const shown = drawers.find(({ panel }) => panel === document.body.dataset.drawer);
  if (!shown) return;
  delete document.body.dataset.drawer;
  byId(shown.button).setAttribute('aria-expanded', 'false');
  byId(shown.button).focus();
}
