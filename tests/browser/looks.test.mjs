// The page fits a desktop window and a phone, dark and light. With SCREENSHOTS=<folder> the pictures
// are kept there to be looked at.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startDemo } from './demo.mjs';
import { launchBrowser, openWindow } from './windows.mjs';

const sizes = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];
const longWord = 'unbreakable'.repeat(30);
const longName = 'W'.repeat(24);

describe('the look of the demo', { timeout: 60_000 }, () => {
  let browser;
  let demo;
  let talker;

  before(async () => {
    [browser, demo] = await Promise.all([launchBrowser(), startDemo()]);
    talker = await openWindow(browser, demo.url, longName);
    for (const text of ['Shall we?', 'A second one, just after the first', longWord]) await talker.say(text);
    await talker.seesMessage(longWord);
    await talker.joinVoice('Lounge');
  });

  after(async () => {
    await talker?.close();
    await browser?.close();
    await demo?.stop();
  });

  for (const size of sizes) {
    for (const colorScheme of ['dark', 'light']) {
      test(`nothing overflows at ${size.width} px, ${colorScheme}`, async () => {
        const window = await openWindow(browser, demo.url, 'Viewer', { size, colorScheme });
        await window.seesMessage(longWord);
        // Who is known to type is told of again only after some seconds.
        await talker.page.fill('#composer-input', '');
        await talker.type('.');
        await window.sees('#typing', `${longName} is typing…`);
        await window.nextFigures();
        await check(window, size, `${size.width}-${colorScheme}`);

        if (size.width < 900) {
          await window.page.getByRole('button', { name: 'Show who is online' }).click();
          await window.seesOnline(longName);
          await check(window, size, `${size.width}-${colorScheme}-people`);
          await window.page.keyboard.press('Escape');
          await window.page.waitForSelector('#people', { state: 'hidden' });
          await window.page.getByRole('button', { name: 'Show channels' }).click();
          await check(window, size, `${size.width}-${colorScheme}-channels`);
          await window.joinVoice('Lounge');
          await check(window, size, `${size.width}-${colorScheme}-voice`);
        }
        await window.close();
      });
    }
  }
});

async function check({ page }, size, name) {
  const picture = await page.screenshot({ fullPage: true });
  // Width and height are the first two fields of a PNG's header chunk.
  assert.deepEqual({ width: picture.readUInt32BE(16), height: picture.readUInt32BE(20) }, size);
  const outside = await page.evaluate(() => {
    const limit = document.documentElement.clientWidth;
    return [...document.querySelectorAll('body *')]
      .filter((node) => node.checkVisibility({ visibilityProperty: true }) && getComputedStyle(node).clipPath === 'none')
      .filter((node) => {
        const { left, right, width } = node.getBoundingClientRect();
        return width > 0 && (left < -0.5 || right > limit + 0.5);
      })
      .map((node) => `${node.tagName} ${node.id} ${node.className}`);
  });
  assert.deepEqual(outside, [], 'elements beyond the edge of the window');
  if (!process.env.SCREENSHOTS) return;
  await mkdir(process.env.SCREENSHOTS, { recursive: true });
  await writeFile(join(process.env.SCREENSHOTS, `${name}.png`), picture);
}
