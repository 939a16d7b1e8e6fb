// Headless Chromium, and a window of the demo with the verbs of somebody who uses it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const WAIT_MS = 10_000;
const WIDE = { width: 1280, height: 800 };

function findChromium() {
  const places = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  const found = places.find((path) => path && existsSync(path));
  if (!found) throw new Error('no Chromium: install the package "chromium", or set CHROMIUM to its path');
  return found;
}

export function launchBrowser() {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A window nobody has given a name in yet. Its profile is its own, as on another computer. */
export async function openPage(browser, url, { size = WIDE, colorScheme = 'dark' } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) problems.push(message.text());
  });
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket));
  await page.goto(url);
  return new Window(page, problems, sockets);
}

/** A window in which this user is signed in and has the first channel open. */
export async function openWindow(browser, url, name, { transport, ...options } = {}) {
  const query = new URLSearchParams({ name, ...(transport && { transport }) });
  const window = await openPage(browser, `${url}?${query}`, options);
  await window.ready();
  return window;
}

class Window {
  constructor(page, problems, sockets) {
    this.page = page;
    this.problems = problems;
    this.sockets = sockets;
  }

  async ready() {
    await this.page.waitForSelector('body[data-link="up"]');
    await this.sees('#conversation-name', '#general');
  }

  /** Waits until one element that matches has this text, or text that matches. */
  async sees(selector, text) {
    await this.find(selector, text).first().waitFor();
  }

  /** Waits until no element that matches has this text. */
  async seesNo(selector, text) {
    await this.find(selector, text).first().waitFor({ state: 'hidden' });
  }

  // Exact, unless a pattern is given: "Ada" must not find "Ada Lovelace".
  find(selector, text) {
    const hasText = typeof text === 'string' ? new RegExp(`^\\s*${escapePattern(text)}\\s*$`) : text;
    return this.page.locator(selector, hasText === undefined ? {} : { hasText });
  }

  async say(text) {
    await this.page.fill('#composer-input', text);
    await this.page.press('#composer-input', 'Enter');
  }

  async type(text) {
    await this.page.locator('#composer-input').pressSequentially(text);
  }

  async seesMessage(content) {
    await this.sees('#messages .content', content);
    return this.message(content);
  }

  /** Author, displayed time and its machine-readable value of the message with this content. */
  async message(content) {
    const row = this.page.locator('#messages .message', { has: this.find('.content', content) });
    return {
      author: await row.locator('.author').textContent(),
      time: await row.locator('time').textContent(),
      sentAt: Date.parse(await row.locator('time').getAttribute('datetime')),
    };
  }

  async openChannel(name) {
    await this.find('#text-channels button', new RegExp(`^${name}`)).click();
    await this.sees('#conversation-name', `#${name}`);
  }

  async openDirect(name) {
    await this.page.locator('#online button', { has: this.find('.entry-name', name) }).click();
    await this.sees('#conversation-name', name);
  }

  async seesOnline(name) {
    await this.sees('#online .entry-name', name);
  }

  async seesOffline(name) {
    await this.seesNo('#online .entry-name', name);
  }

  isOnline(name) {
    return this.find('#online .entry-name', name).isVisible();
  }

  async joinVoice(channel) {
    await this.page.getByRole('button', { name: `Join voice channel ${channel}` }).click();
    await this.page.waitForSelector('#voice-panel:visible');
    await this.sees('#voice-channel-name', channel);
  }

  async seesInVoice(channel, name, { muted } = {}) {
    const member = this.voiceMember(channel, name);
    await (muted === undefined ? member : member.and(this.page.locator(`[data-muted="${muted}"]`))).waitFor();
  }

  async seesNotInVoice(channel, name) {
    await this.voiceMember(channel, name).waitFor({ state: 'hidden' });
  }

  voiceMember(channel, name) {
    return this.page.getByRole('list', { name: `In ${channel}` }).locator('li', { has: this.find('.entry-name', name) });
  }

  /** One of the server's figures as a number. */
  async figure(name) {
    const text = await this.page.locator(`[data-figure="${name}"]`).textContent();
    return Number.parseFloat(text.replaceAll(',', ''));
  }

  /** Waits until a figure satisfies `check`, looking whenever the page shows new ones. */
  async seesFigure(name, check) {
    const end = Date.now() + WAIT_MS;
    for (;;) {
      const value = await this.figure(name);
      if (check(value)) return value;
      if (Date.now() > end) assert.fail(`figure "${name}" stayed at ${value}`);
      await this.nextFigures();
    }
  }

  /** Waits for the server's next figures to be drawn. */
  async nextFigures() {
    await this.page.evaluate(
      (ms) =>
        new Promise((resolve, reject) => {
          const node = document.querySelector('[data-spark="line"]');
          const observer = new MutationObserver(() => {
            observer.disconnect();
            resolve();
          });
          observer.observe(node, { attributes: true });
          setTimeout(() => reject(new Error('no new figures')), ms);
        }),
      WAIT_MS,
    );
  }

  async close() {
    await this.page.context().close();
    assert.deepEqual(this.problems, [], 'errors in the page');
  }
}

const escapePattern = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
