import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'playwright/test';
import { afterAll, afterEach, beforeAll, beforeEach, test } from 'vitest';
import { type StaticHost, startStaticHost } from './static-host.ts';
import { BUILT_PAGE, CLIPS, expectText, openRecordings, Person, textOf, waitUntilKept } from './person.ts';

let host: StaticHost;
let person: Person;

beforeAll(async () => {
  host = await startStaticHost(BUILT_PAGE);
});
afterAll(() => host.switchOff());
beforeEach(async () => {
  host.published.clear();
  person = await Person.arrive();
});
afterEach(() => person.leave());

test('the browser finds nothing to complain about in the manifest, and every icon is as large as it says', async () => {
  const page = await person.openBrowser();
  await page.goto(host.address);
  const devtools = await person.browser.newCDPSession(page);
  const { errors, data } = await devtools.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  expect(installabilityErrors).toEqual([]);
  const { icons } = JSON.parse(data ?? '{}') as { icons: { src: string; sizes: string; type: string }[] };
  const sizes = await page.evaluate(async (sources) => {
    const images = sources.map((src) => Object.assign(new Image(), { src }));
    await Promise.all(images.map((image) => image.decode()));
    return images.map(({ naturalWidth, naturalHeight }) => `${naturalWidth}x${naturalHeight}`);
  }, icons.filter(({ type }) => type === 'image/png').map(({ src }) => src)); // prettier-ignore
  expect(sizes).toEqual(icons.filter(({ type }) => type === 'image/png').map((icon) => icon.sizes));
});

test('a recording that another app shares is taken and read, once', async () => {
  const page = await person.openBrowser();
  await page.goto(host.address);
  await waitUntilKept(page);
  // The system posts a form to the app's address, as this page does. It is not Sotto's, but of the same site.
  await page.goto(`${host.address}clips/clips.json`);
  const bytes = readFileSync(join(CLIPS, 'en_close-the-door.wav')).toString('base64');
  await page.evaluate(async (base64) => {
    const form = document.createElement('form');
    Object.assign(form, { action: '../share', method: 'post', enctype: 'multipart/form-data' });
    const input = Object.assign(document.createElement('input'), { type: 'file', name: 'recordings' });
    const sound = await (await fetch(`data:audio/wav;base64,${base64}`)).blob();
    const carrier = new DataTransfer();
    carrier.items.add(new File([sound], '門 door.wav', { type: 'audio/wav' }));
    input.files = carrier.files;
    form.append(input);
    document.body.append(form);
    form.submit();
  }, bytes);
  await expectText(page, textOf('en_close-the-door'));
  await expect(page.getByRole('textbox', { name: 'Title' })).toHaveValue('門 door');
  await page.goto(host.address);
  await page.reload();
  await expect(page.getByRole('link', { name: /門 door/ })).toHaveCount(1);
});

test('a new version waits until work is done, asks first, and finds every text again', async () => {
  const page = await person.openBrowser();
  await page.goto(host.address);
  await waitUntilKept(page);
  await openRecordings(page, [join(CLIPS, 'en_close-the-door.wav')]);
  await expectText(page, textOf('en_close-the-door'));

  publishNewVersion();
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await expect(page.getByText('A new version of Sotto is here')).toBeVisible({ timeout: 120_000 });
  // It does not come by itself.
  await page.reload();
  await expect(page.getByText('A new version of Sotto is here')).toBeVisible();
  expect(await page.locator('meta[name=edition]').count()).toBe(0);

  // Another window reads for longer than all that follows.
  const other = await person.browser.newPage();
  await other.goto(host.address);
  await openRecordings(
    other,
    Array.from({ length: 600 }, () => join(CLIPS, 'zh_which-folder.wav')),
  );
  await expect(other.getByText(/Reading \d+ of 600/).first()).toBeVisible();
  await page.getByRole('button', { name: 'Use it now' }).click();
  await expect(page.getByText('as soon as no window is at work')).toBeVisible();
  expect(await page.locator('meta[name=edition]').count()).toBe(0);
  const renewed = [page, other].map((tab) => tab.waitForEvent('load'));
  await other.getByRole('button', { name: 'Cancel all' }).click();
  await Promise.all(renewed);
  for (const tab of [page, other]) await expect(tab.locator('meta[name=edition]')).toHaveCount(1);
  await page.getByRole('link', { name: 'Library' }).click();
  await expect(page.getByRole('link', { name: /en_close-the-door/ })).toBeVisible();
});

/** The same page with a mark in it, as a new build would come: the worker lists another revision of it. */
function publishNewVersion(): void {
  const html = readFileSync(join(BUILT_PAGE, 'index.html'), 'utf8');
  host.published.set('index.html', html.replace('<title>', '<meta name="edition" content="second"><title>'));
  const worker = readFileSync(join(BUILT_PAGE, 'sw.js'), 'utf8');
  const revision = /"revision":"([0-9a-f]+)","url":"index\.html"|"url":"index\.html","revision":"([0-9a-f]+)"/.exec(worker); // prettier-ignore
  const known = revision?.[1] ?? revision?.[2] ?? '';
  expect(known).not.toBe('');
  host.published.set('sw.js', worker.replace(known, 'f'.repeat(32)));
}
