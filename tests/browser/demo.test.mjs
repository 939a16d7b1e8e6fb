// Two users in two windows of the demo, in a real browser, see each other in everything they do.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startDemo } from './demo.mjs';
import { launchBrowser, openPage, openWindow } from './windows.mjs';

describe('the demo in a browser', { timeout: 120_000 }, () => {
  let browser;
  let demo;
  // The two windows stay open throughout. What they send stays below the demo's limit of fifty events
  // in ten seconds; whoever sends much gets a window of their own.
  let ada;
  let grace;

  before(async () => {
    [browser, demo] = await Promise.all([launchBrowser(), startDemo()]);
    [ada, grace] = await Promise.all([open('Ada'), open('Grace')]);
  });

  beforeEach(() => Promise.all([ada.openChannel('general'), grace.openChannel('general')]));

  after(async () => {
    for (const window of [ada, grace]) await window?.close();
    await browser?.close();
    await demo?.stop();
  });

  const open = (name, options) => openWindow(browser, demo.url, name, options);

  test('a name is asked for, a bad one refused, and a good one lets in', async () => {
    const window = await openPage(browser, demo.url);
    await window.page.waitForSelector('dialog[open]');
    // A zero-width space looks like nothing, and only the server removes it.
    await window.page.getByLabel('Your name').fill('\u200b');
    await window.page.getByRole('button', { name: 'Join' }).click();
    await window.sees('#sign-in-error', 'name: must not be empty');
    await window.page.getByLabel('Your name').fill('Margaret');
    await window.page.getByRole('button', { name: 'Join' }).click();
    await window.ready();
    await window.seesOnline('Margaret');
    await window.seesNo('dialog[open]');
    await window.close();
  });

  test('a made-up user is a click away', { skip: process.env.DEMO === 'chat' && 'the plain example has no login' }, async () => {
    const window = await openPage(browser, demo.url);
    await window.page.getByRole('button', { name: 'Linus', exact: true }).click();
    await window.ready();
    await ada.seesOnline('Linus');
    await window.close();
    await ada.seesOffline('Linus');
  });

  test('each sees the other online, and offline when the window is closed', async () => {
    await ada.seesOnline('Grace');
    await grace.seesOnline('Ada');
    const linus = await open('Linus');
    await ada.seesOnline('Linus');
    await grace.seesOnline('Linus');
    await linus.close();
    await ada.seesOffline('Linus');
    await grace.seesOffline('Linus');
    assert.equal(await ada.isOnline('Grace'), true);
  });

  test('a user with two windows stays online until the second is closed', async () => {
    const [first, second] = await Promise.all([open('Twice'), open('Twice')]);
    await ada.seesOnline('Twice');
    assert.equal(await ada.find('#online .entry-name', 'Twice').count(), 1);
    await ada.seesFigure('connections', (value) => value === 4);
    await first.close();
    await ada.seesFigure('connections', (value) => value === 3);
    assert.equal(await ada.isOnline('Twice'), true);
    await second.close();
    await ada.seesOffline('Twice');
  });

  test('messages go both ways with sender and time, over WebSocket', async () => {
    const frames = [];
    for (const socket of grace.sockets) socket.on('framereceived', ({ payload }) => frames.push(String(payload)));
    // The upgrade from polling may still be on its way.
    for (let at = 0; at < 5 && frames.length === 0; at += 1) await grace.nextFigures();
    const earliest = Date.now();
    await ada.say('Good morning');
    const got = await grace.seesMessage('Good morning');
    assert.equal(got.author, 'Ada');
    assert.match(got.time, /\d{1,2}[:.]\d{2}/);
    assert.ok(got.sentAt >= earliest - 1000 && got.sentAt <= Date.now() + 1000, 'the time is now');
    assert.ok(frames.some((frame) => frame.includes('Good morning')), 'it came in a WebSocket frame');

    await grace.say('Good morning to you');
    assert.equal((await ada.seesMessage('Good morning to you')).author, 'Grace');
    await ada.sees('#messages .content', 'Good morning');
    assert.equal(await ada.page.inputValue('#composer-input'), '');
  });

  test('ten messages in a row arrive once each and in order', async () => {
    const talker = await open('Talker');
    await talker.openChannel('random');
    await grace.openChannel('random');
    const sent = Array.from({ length: 10 }, (_, at) => `message number ${at}`);
    for (const text of sent) await talker.say(text);
    for (const window of [talker, grace]) {
      await window.seesMessage(sent.at(-1));
      assert.deepEqual(await window.page.locator('#messages .content').allTextContents(), sent);
    }
    await talker.close();
  });

  test('channels are apart: others are marked unread, and a switch shows what was written', async () => {
    await ada.type('A draft for general');
    await ada.openChannel('engineering');
    assert.equal(await ada.page.inputValue('#composer-input'), '');
    await ada.say('Only in engineering');
    await ada.seesMessage('Only in engineering');
    await grace.sees('#text-channels .badge', '1');
    assert.equal(await grace.find('#messages .content', 'Only in engineering').count(), 0);
    await grace.openChannel('engineering');
    assert.equal((await grace.seesMessage('Only in engineering')).author, 'Ada');
    await grace.seesNo('#text-channels .badge', '1');

    await ada.openChannel('general');
    assert.equal(await ada.page.inputValue('#composer-input'), 'A draft for general');
    await ada.page.fill('#composer-input', '');

    const late = await open('Late');
    await late.openChannel('engineering');
    await late.seesMessage('Only in engineering');
    await late.close();
  });

  test('typing shows to the other and goes away: on pause, on sending, on closing', async () => {
    const typist = await open('Typist');
    await ada.type('Let me thi');
    await grace.sees('#typing', 'Ada is typing…');
    assert.equal(await ada.page.textContent('#typing'), '');
    await grace.page.waitForSelector('#typing:not(.active)');

    await ada.type('nk');
    await grace.sees('#typing', 'Ada is typing…');
    await ada.page.press('#composer-input', 'Enter');
    await grace.seesMessage('Let me think');
    await grace.page.waitForSelector('#typing:not(.active)');

    await typist.type('I will never send this');
    await grace.sees('#typing', 'Typist is typing…');
    await typist.page.context().close();
    await grace.page.waitForSelector('#typing:not(.active)');
  });

  test('voice: joining, muting and leaving are seen by the other', async () => {
    await ada.joinVoice('Lounge');
    await grace.seesInVoice('Lounge', 'Ada', { muted: false });
    await grace.sees('#online small', 'in Lounge');
    await grace.joinVoice('Lounge');
    await ada.seesInVoice('Lounge', 'Grace', { muted: false });

    await ada.page.getByRole('button', { name: 'Mute', exact: true }).click();
    await grace.seesInVoice('Lounge', 'Ada', { muted: true });
    await ada.seesInVoice('Lounge', 'Ada', { muted: true });
    await ada.page.getByRole('button', { name: 'Unmute' }).click();
    await grace.seesInVoice('Lounge', 'Ada', { muted: false });

    await ada.joinVoice('Stand-up');
    await grace.seesInVoice('Stand-up', 'Ada');
    await grace.seesNotInVoice('Lounge', 'Ada');

    await ada.page.getByRole('button', { name: 'Leave' }).click();
    await grace.seesNotInVoice('Stand-up', 'Ada');
    await ada.page.waitForSelector('#voice-panel', { state: 'hidden' });
    await grace.page.getByRole('button', { name: 'Leave' }).click();
    await ada.seesNotInVoice('Lounge', 'Grace');
  });

  test('voice: closing the window leaves the channel', async () => {
    const linus = await open('Linus');
    await linus.joinVoice('Lounge');
    await grace.seesInVoice('Lounge', 'Linus');
    await linus.close();
    await grace.seesNotInVoice('Lounge', 'Linus');
  });

  test('direct messages reach the two and nobody else', async () => {
    const eve = await open('Eve');
    await ada.openDirect('Grace');
    await ada.say('Between us');
    assert.equal((await ada.seesMessage('Between us')).author, 'Ada');
    await grace.find('#direct-messages button', /^A?Ada/).click();
    assert.equal((await grace.seesMessage('Between us')).author, 'Ada');
    await grace.say('Of course');
    await ada.seesMessage('Of course');
    // What Eve gets after it shows that she did not get it before.
    await grace.openChannel('general');
    await grace.say('Hello Eve');
    await eve.seesMessage('Hello Eve');
    assert.equal(await eve.page.locator('#direct-messages li').count(), 0);
    await eve.close();
  });

  test('the figures follow connections, rooms and traffic', async () => {
    // The windows of other tests are closed, though the server's last push may be from before that.
    await ada.nextFigures();
    await ada.seesFigure('connections', (value) => value === 2);
    const rooms = await ada.figure('rooms');
    // socket.io counts the room that each socket has by its own id, the native core does not.
    const own = process.env.SUBJECT === 'socket.io' ? 1 : 0;
    assert.ok(rooms >= 6 + 2 * own, `two users, the community and its channels are there, got ${rooms}`);
    assert.match(await ada.page.textContent('[data-figure="lag"]'), /^[\d.,]+ ms$/);

    const linus = await open('Linus');
    await ada.seesFigure('connections', (value) => value === 3);
    // His user room, and his own.
    await ada.seesFigure('rooms', (value) => value === rooms + 1 + own);

    const quiet = await ada.seesFigure('messages', (value) => value <= 6);
    for (let at = 0; at < 12; at += 1) await linus.say(`traffic ${at}`);
    await ada.seesFigure('messages', (value) => value > quiet);

    await linus.close();
    await ada.seesFigure('connections', (value) => value === 2);
    assert.equal(await ada.figure('rooms'), rooms);
  });

  test('what users write stays text', async () => {
    const name = '<i>Mallory</i>';
    const attack = '<img src=x onerror="window.pwned=true"><script>window.pwned=true</script>';
    const mallory = await open(name);
    await mallory.say(attack);
    assert.equal((await grace.seesMessage(attack)).author, name);
    await grace.seesOnline(name);
    assert.equal(await grace.page.locator('#messages img, #messages script, #messages i, #online i').count(), 0);
    assert.equal(await grace.page.evaluate(() => window.pwned), undefined);
    await mallory.close();
  });

  test('long-polling alone is enough', async () => {
    const poller = await open('Poller', { transport: 'polling' });
    await poller.say('Sent by polling');
    await grace.seesMessage('Sent by polling');
    await grace.say('Got by polling');
    await poller.seesMessage('Got by polling');
    assert.equal(poller.sockets.length, 0);
    await poller.close();
  });
});
