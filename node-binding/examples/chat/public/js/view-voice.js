// The panel of one's own place in voice: where, mute, leave.

import { leaveVoice, setMuted } from './actions.js';
import { byId, icon } from './dom.js';
import { findChannel, on, state } from './store.js';

export function startVoicePanel() {
  byId('voice-leave').append(icon('leave'), 'Leave');
  byId('voice-leave').addEventListener('click', () => leaveVoice());
  byId('voice-mute').addEventListener('click', () => setMuted(!state.myVoice.muted));
  on(['voice', 'link'], draw);
}

function draw() {
  const { myVoice } = state;
  byId('voice-panel').hidden = !myVoice;
  if (!myVoice) return;
  byId('voice-channel-name').textContent = findChannel(myVoice.channelId).name;
  const mute = byId('voice-mute');
  mute.replaceChildren(icon(myVoice.muted ? 'mic-off' : 'mic'), myVoice.muted ? 'Unmute' : 'Mute');
  mute.classList.toggle('muted', myVoice.muted);
  for (const button of [mute, byId('voice-leave')]) button.disabled = state.link !== 'up';
}
