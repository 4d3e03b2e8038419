import { join } from 'node:path';
import { expect, type Page } from 'playwright/test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'vitest';
import { ROOT } from '../../scripts/prepare.mjs';
import { type Proxy, startProxy } from './proxy.ts';
import { type StaticHost, startStaticHost } from './static-host.ts';
import {
  BUILT_PAGE,
  CLIPS,
  expectText,
  openRecordings,
  Person,
  textOf,
  waitUntilKept,
  watchRefusals,
} from './person.ts';

let host: StaticHost;
let person: Person;

beforeAll(async () => {
  host = await startStaticHost(BUILT_PAGE);
});
afterAll(() => host.switchOff());
beforeEach(async () => {
  person = await Person.arrive();
});
afterEach(() => person.leave());

/** One sound in each kind of file whose decoder is loaded by itself. */
const KINDS = ['stereo.mp3', 'opus.opus', 'vorbis.ogg', 'mono16.flac', 'voice-memo.m4a', 'opus.webm'];

/** What Chromium asks its maker by itself, whatever page is open. */
const BROWSERS_OWN =
  /\/\/(update|content-autofill|optimizationguide-pa)\.googleapis\.com|\/\/accounts\.google\.com/;

describe('a whole session', () => {
  let proxy: Proxy;
  beforeAll(async () => {
    proxy = await startProxy();
  });
  afterAll(() => proxy.close());

  test('asks nobody but the host for anything, and breaks no rule of its own policy', async () => {
    const page = await person.openBrowser(proxy.browserArgs);
    const refusals = watchRefusals(page);
    const asked: string[] = [];
    person.browser.on('request', (request) => asked.push(request.url()));
    await page.goto(host.address);
    await page.waitForFunction(() => crossOriginIsolated);
    await waitUntilKept(page);

    // A recording in every kind of file, then the text under work.
    await openRecordings(page, [join(CLIPS, 'zh_meeting-tomorrow.wav')]);
    await expectText(page, textOf('zh_meeting-tomorrow'));
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await page.getByRole('button', { name: /Chinese script/ }).click();
    await page.getByRole('menuitemradio', { name: '繁體（香港）' }).click();
    await expectText(page, '開會');
    for (const format of ['Word document', 'Subtitles (SRT)']) {
      await page.getByRole('button', { name: 'Export' }).click();
      const download = page.waitForEvent('download');
      await page.getByRole('menuitem', { name: format }).click();
      await download;
    }
    await page.getByRole('link', { name: 'Sotto, Home' }).click();
    await openRecordings(
      page,
      KINDS.map((name) => join(ROOT, 'test/fixtures/sounds', name)),
    );
    await expect(page.getByText('All read')).toBeVisible({ timeout: 180_000 });

    // Every card, the library, the laboratory.
    for (const card of ['Models', 'This device', 'Settings', 'Keyboard shortcuts', 'Your audio stays here']) {
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('menuitem', { name: card }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
    }
    await page.getByRole('link', { name: 'Library' }).click();
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('menuitem', { name: 'Laboratory' }).click();
    await page.getByRole('button', { name: textOf('yue_a-bit-quieter') }).click();
    await expect(page.getByRole('table')).toContainText('encoder', { timeout: 120_000 });
    const session = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the session' }).click();
    await session;
    await page.reload();

    expect(asked.filter((url) => !url.startsWith(host.address) && !/^(blob|data):/.test(url))).toEqual([]);
    const left = proxy.asked.filter((origin) => origin !== host.origin && !BROWSERS_OWN.test(origin));
    expect(left).toEqual([]);
    expect(proxy.asked.length).toBeGreaterThan(50);
    expect(refusals).toEqual([]);
  });
});

describe('the policy', () => {
  let page: Page;
  beforeEach(async () => {
    page = await person.openBrowser();
    await page.goto(host.address);
    await page.waitForFunction(() => crossOriginIsolated);
  });

  test('refuses other origins, code from text, markup from text, foreign threads and framing', async () => {
    const tried = await page.evaluate(async () => {
      const outcome = async (attempt: () => unknown): Promise<string> => {
        try {
          await attempt();
          return 'went through';
        } catch (error) {
          return (error as Error).name;
        }
      };
      const loads = (element: HTMLElement & { src: string }, src: string): Promise<unknown> =>
        new Promise((resolve, reject) => {
          element.onload = resolve;
          element.onerror = () => reject(new Error('refused'));
          element.src = src;
          document.body.append(element);
        });
      return {
        fetch: await outcome(() => fetch('https://example.org/')),
        beacon: navigator.sendBeacon('https://example.org/', 'x') ? 'queued' : 'refused',
        socket: await outcome(
          () =>
            new Promise((resolve, reject) => {
              const socket = new WebSocket('wss://example.org/');
              socket.onopen = resolve;
              socket.onerror = () => reject(new Error('refused'));
            }),
        ),
        image: await outcome(() => loads(new Image(), 'https://example.org/pixel.png')),
        eval: await outcome(() => (0, eval)('1 + 1')),
        markup: await outcome(() => (document.createElement('p').innerHTML = '<b>x</b>')),
        thread: await outcome(() => new Worker('https://example.org/thread.js')),
        blobThread: await outcome(() => new Worker(URL.createObjectURL(new Blob(['1'])))),
      };
    });
    expect(tried).toMatchObject({
      fetch: 'TypeError',
      socket: expect.stringMatching(/Error/),
      image: 'Error',
      eval: 'EvalError',
      markup: 'TypeError',
      thread: 'TypeError',
      blobThread: expect.stringMatching(/Error/),
    });
  });

  test('holds in the thread that reads, too', async () => {
    const script = page.waitForResponse(/asr\.worker/);
    await page.getByRole('button', { name: 'Read it' }).first().hover();
    const { 'content-security-policy': policy = '' } = (await script).headers();
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self' https://huggingface.co");
    expect(policy).toContain("require-trusted-types-for 'script'");
  });
});

test('an address that the user types in is opened after asking, alone, and can be closed again', async () => {
  const mirror = await startStaticHost(join(BUILT_PAGE, 'models/sample'), {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Headers': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  });
  try {
    const page = await person.openBrowser();
    await page.goto(host.address);
    await page.waitForFunction(() => crossOriginIsolated);
    await page.getByRole('button', { name: 'Get the full model' }).click();
    await page.getByLabel('Address of a model folder').fill(mirror.address);
    await page.getByRole('button', { name: 'Get', exact: true }).click();
    await expect(page.getByRole('alertdialog')).toContainText(`Open this page for ${mirror.origin}?`);
    expect(mirror.asked).toEqual([]);
    await page.getByRole('button', { name: 'Open and go on' }).click();
    // Loaded again, it goes on by itself and the model is whole.
    await expect(page.getByText('Verified: every file matches its hash')).toBeVisible({ timeout: 120_000 });
    expect(mirror.asked).toContain('manifest.json');

    const reach = (address: string): Promise<boolean> =>
      page.evaluate((url) => fetch(url).then(() => true, () => false), address); // prettier-ignore
    expect(await reach(`${mirror.address}manifest.json`)).toBe(true);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'On this device' }).click();
    await Promise.all([
      page.waitForEvent('load'),
      page.getByRole('button', { name: `Close ${mirror.origin}` }).click(),
    ]);
    expect(await reach(`${mirror.address}manifest.json`)).toBe(false);
  } finally {
    await mirror.switchOff();
  }
});
