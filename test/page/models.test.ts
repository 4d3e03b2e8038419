// The models card, with a model from a mirror and from disk: the sample under another name, as a host sends it
// that is slow, and as a folder holds it.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BuiltSite, makeBuiltSite } from './built-site.ts';
import { BUILT_PAGE } from './person.ts';
import { type StaticHost, startStaticHost } from './static-host.ts';
import { drop, goHome, paste, readText, visit } from './visitor.ts';

const CLIPS = resolve(import.meta.dirname, '../../public/clips');
const SAMPLE = join(BUILT_PAGE, 'models/sample');
const BYTES_PER_SECOND = 400_000;

let site: BuiltSite;
let host: StaticHost;

beforeAll(async () => {
  site = await makeBuiltSite();
  await mkdir(join(site.folder, 'big'));
  for (const name of await readdir(SAMPLE)) {
    const bytes = await readFile(join(SAMPLE, name));
    const named = { ...(name === 'manifest.json' && JSON.parse(bytes.toString())), name: 'Big model' };
    await writeFile(join(site.folder, 'big', name), name === 'manifest.json' ? JSON.stringify(named) : bytes);
  }
  host = await startStaticHost(site.folder);
});
afterAll(async () => {
  await host.switchOff();
  await site.remove();
});

async function openModels(page: Page): Promise<void> {
  await page.getByRole('contentinfo').getByRole('button', { name: /model/i }).first().click();
  await page.getByRole('dialog', { name: 'Models' }).waitFor();
}

async function closeCard(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** Bytes of the big model's weights that the host has sent. */
function weightsSent(): number {
  return [...host.sent].reduce((sum, [path, bytes]) => sum + (/^big\/weights/.test(path) ? bytes : 0), 0);
}

test('a model is fetched, paused, gone on with, read with and removed; then it comes from disk, once all of it is there', async () => {
  const visitor = await visit({ url: host.address });
  const { page } = visitor;
  const said = async (clip: string): Promise<string> =>
    (await readFile(join(CLIPS, `${clip}.txt`), 'utf8')).trim();
  const recording = async (clip: string) => ({
    name: `${clip}.wav`,
    bytes: await readFile(join(CLIPS, `${clip}.wav`)),
  });
  const big = page.getByRole('listitem').filter({ hasText: 'Big model' });

  host.pace = BYTES_PER_SECOND;
  await openModels(page);
  await page.getByLabel('Address of a model folder').fill(`${host.address}big/`);
  await page.getByRole('button', { name: 'Get', exact: true }).click();
  const card = page.getByRole('dialog', { name: 'Models' });
  await expect
    .poll(() => card.innerText(), { timeout: 60_000 })
    .toMatch(/MB of 4\.\d\sMB\s·\s[1-9]\d\s?%\s·\s[\d.]+\s[kM]B\/s\s·\s.+ left/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await big.getByText(/ of 4\.\d MB is here/).waitFor();

  // The page is closed in between: what came stays.
  await page.reload();
  await openModels(page);
  await big.getByText(/[1-9].* of 4\.\d MB is here/).waitFor();
  host.pace = Infinity;
  await big.getByRole('button', { name: 'Resume' }).click();
  await big.getByText('Verified: every file matches its hash').waitFor();
  await big.getByText('In use').waitFor();
  const weights = (await readdir(SAMPLE)).filter((name) => name.startsWith('weights'));
  const whole = (await Promise.all(weights.map((name) => readFile(join(SAMPLE, name)))))
    .reduce((sum, { length }) => sum + length, 0); // prettier-ignore
  expect(weightsSent()).toBeLessThan(1.5 * whole);
  await big.getByRole('button', { name: 'Check again' }).click();
  await big.getByText('Verified: every file matches its hash').waitFor();
  await closeCard(page);

  await drop(page, [await recording('en_call-me-back')]);
  expect(await readText(page)).toEqual([await said('en_call-me-back')]);
  await goHome(page);

  await page.getByRole('contentinfo').getByRole('button', { name: 'Big model' }).click();
  await big.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('alertdialog').getByText('Remove Big model?').waitFor();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await big.waitFor({ state: 'detached' });

  // From disk, at first without one of its shards.
  const files = (await readdir(SAMPLE)).map((name) => join(site.folder, 'big', name));
  const fromFiles = page.getByLabel('From files');
  const missing = files.find((path) => path.includes('weights')) ?? '';
  await fromFiles.setInputFiles(files.filter((path) => path !== missing));
  await page.getByRole('alert').getByText('Part of the model is missing.').waitFor();
  await page.getByRole('dialog').getByText('Details').click();
  await page.getByText(missing.slice(missing.lastIndexOf('/') + 1)).waitFor();
  expect(await big.count()).toBe(0);
  await fromFiles.setInputFiles(files);
  await big.getByText('Verified: every file matches its hash').waitFor();
  await closeCard(page);

  await paste(page, [await recording('yue_meeting-tomorrow')]);
  expect(await readText(page)).toEqual([await said('yue_meeting-tomorrow')]);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});
