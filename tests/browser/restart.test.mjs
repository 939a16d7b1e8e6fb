// A deploy drops everyone at once: open pages say so, come back by themselves and go on.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { startDemo } from './demo.mjs';
import { launchBrowser, openWindow } from './windows.mjs';

test('pages reconnect after a restart of the server, with their users and voice', { timeout: 60_000 }, async (t) => {
  const first = await startDemo();
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const ada = await openWindow(browser, first.url, 'Ada');
  const grace = await openWindow(browser, first.url, 'Grace');
  await ada.joinVoice('Lounge');
  await ada.page.getByRole('button', { name: 'Mute', exact: true }).click();
  await grace.seesInVoice('Lounge', 'Ada', { muted: true });
  await ada.say('Before the restart');
  await grace.seesMessage('Before the restart');

  await first.stop();
  for (const window of [ada, grace]) {
    await window.sees('#banner', 'Connection lost. Reconnecting…');
    await window.page.fill('#composer-input', 'Not now');
    assert.equal(await window.page.getByRole('button', { name: 'Send message' }).isDisabled(), true);
  }

  const second = await startDemo({ port: first.port });
  t.after(() => second.stop());
  assert.equal(second.url, first.url);
  for (const window of [ada, grace]) {
    await window.ready();
    await window.seesNo('#banner');
    await window.seesOnline('Ada');
    await window.seesOnline('Grace');
    // What was being written has survived.
    assert.equal(await window.page.inputValue('#composer-input'), 'Not now');
  }
  await grace.seesInVoice('Lounge', 'Ada', { muted: true });
  await ada.say('After the restart');
  assert.equal((await grace.seesMessage('After the restart')).author, 'Ada');
  // The demo keeps its history in memory.
  await grace.seesNo('#messages .content', 'Before the restart');
  await ada.close();
  await grace.close();
});
