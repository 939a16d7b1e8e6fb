// The page's beginning: views first, then the name, then the connection.
//
//   ?name=Ada             skips the name dialog
//   ?transport=polling    or websocket: only that transport, to try it out

import { onFailure, reopen } from './actions.js';
import { connect, renewLeases } from './connection.js';
import { startDrawers } from './drawers.js';
import { askName, knownName, remember } from './sign-in.js';
import { applyTheme } from './theme.js';
import { startComposer } from './view-composer.js';
import { startFigures } from './view-figures.js';
import { startLinkBanner, toast } from './view-link.js';
import { startMe } from './view-me.js';
import { startMessages } from './view-messages.js';
import { startNav } from './view-nav.js';
import { startPeople } from './view-people.js';
import { startVoicePanel } from './view-voice.js';

applyTheme();
for (const start of [
  startLinkBanner,
  startNav,
  startMessages,
  startComposer,
  startPeople,
  startVoicePanel,
  startFigures,
  startMe,
  startDrawers,
]) {
  start();
}

function failed(error) {
  if (!error.shown) toast(error.message);
}
onFailure(failed);
document.addEventListener('visibilitychange', renewLeases);

const transport = new URLSearchParams(location.search).get('transport');

function enter(name) {
  connect(name, {
    transports: transport ? [transport] : undefined,
    failed,
    joined() {
      remember(name);
      reopen();
    },
    async refused(problem) {
      enter(await askName(problem));
    },
  });
}

enter(knownName() || (await askName()));
