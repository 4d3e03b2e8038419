import { join } from 'node:path';
import { expect } from 'playwright/test';
import { afterAll, beforeAll, test } from 'vitest';
import { type StaticHost, startStaticHost } from './static-host.ts';
import { BUILT_PAGE, CLIPS, expectText, openRecordings, Person, textOf, waitUntilKept } from './person.ts';

const CLIP = 'en_close-the-door';

let host: StaticHost;
let person: Person;

beforeAll(async () => {
  host = await startStaticHost(BUILT_PAGE);
  person = await Person.arrive();
});
afterAll(async () => {
  await person.leave();
  await host.switchOff();
});

test('on a host that sends no headers the page isolates itself, says that all is kept, and then starts and reads without host, network and the browser of before', async () => {
  let page = await person.openBrowser();
  await page.goto(host.address);
  // Its service worker has taken over and the untouched page was loaded again.
  await page.waitForFunction(() => crossOriginIsolated);
  await waitUntilKept(page);
  await person.closeBrowser();
  await host.switchOff();

  page = await person.openBrowser();
  await person.browser.setOffline(true);
  await page.goto(host.address);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await openRecordings(page, [join(CLIPS, `${CLIP}.wav`)]);
  await expectText(page, textOf(CLIP));
  // Bits of the page that are loaded late are here, too.
  await page.getByRole('link', { name: 'Library' }).click();
  await expect(page.getByRole('link', { name: CLIP })).toBeVisible();
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Models' }).click();
  await expect(page.getByRole('dialog')).toContainText('Get a model');
});
