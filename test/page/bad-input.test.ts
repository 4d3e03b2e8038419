// Files that cannot be read, a browser that stores nothing, a worker that falls over: each is said in a
// sentence, and everything else goes on.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { drop, type DroppedFile, readText, visit } from './visitor.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SOUNDS = join(ROOT, 'test/fixtures/sounds');
const CLIP = join(ROOT, 'public/clips/en_close-the-door.wav');
const WHAT_IS_SAID = 'Close the door';

const EMPTY = 'The file holds no sound. Record or export it again.';
const UNKNOWN =
  'This is no kind of sound that Sotto can read. Save it as WAV, MP3, M4A, FLAC or OGG and try again.';
const PROTECTED = 'The file is copy-protected. Use an unprotected copy.';

const sound = async (name: string): Promise<DroppedFile> => ({
  name,
  bytes: await readFile(join(SOUNDS, name)),
});
const clip = async (): Promise<DroppedFile> => ({ name: 'door.wav', bytes: await readFile(CLIP) });

test('whatever cannot be read says why, and the good recording behind it is read', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const bad: [DroppedFile, string][] = [
    [{ name: 'nothing.wav', bytes: new Uint8Array(0) }, EMPTY],
    [{ name: 'renamed.mp3', bytes: new TextEncoder().encode('%PDF-1.7\n%âãÏÓ\n1 0 obj') }, UNKNOWN],
    [await sound('silent-film.mp4'), EMPTY],
    [await sound('protected.mp4'), PROTECTED],
    [await sound('windows.wma'), UNKNOWN],
    [await sound('lossless.m4a'), UNKNOWN],
  ];
  await drop(page, [...bad.map(([file]) => file), await clip()]);
  await page.getByText('All read').waitFor({ timeout: 300_000 });
  for (const [{ name }, sentence] of bad) {
    const row = page.getByRole('listitem').filter({ hasText: name });
    expect(await row.locator('.bad').textContent(), name).toBe(sentence);
  }
  await page.getByRole('link', { name: 'door.wav' }).click();
  expect(await readText(page)).toEqual([WHAT_IS_SAID]);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

test('a page that cannot load what tells voices from other sounds reads on, and says so beside the text', async () => {
  const visitor = await visit({ serviceWorkers: 'block' });
  const { page } = visitor;
  await page.route(/silero.*\.onnx$/, (route) => route.abort());
  await drop(page, [await clip()]);
  expect(await readText(page)).toEqual([WHAT_IS_SAID]);
  await page.getByText('What tells voices from other sounds does not work here.').waitFor();
  await visitor.leave();
});

test('two hundred files at once stand in line, and the list can be cleared', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const bytes = new Uint8Array(0);
  await drop(
    page,
    Array.from({ length: 200 }, (_, i) => ({ name: `file ${i + 1}.wav`, bytes })),
  );
  await page.getByText('All read').waitFor();
  expect(await page.locator('[data-state="failed"]').count()).toBe(200);
  await page.getByRole('button', { name: 'Clear the list' }).click();
  await page.getByRole('heading', { name: 'Try it' }).waitFor();
  expect(await page.locator('.row[data-state]').count()).toBe(0);
  await visitor.leave();
});

const SHARED = resolve(ROOT, '../shared/audio');

test.skipIf(!existsSync(SHARED))(
  'of the collection every odd file is read to its end, and every damaged one ends in a sentence',
  async () => {
    const visitor = await visit();
    const { page } = visitor;
    const files: DroppedFile[] = [];
    for (const folder of ['malformed', 'formats'])
      for (const name of await readdir(join(SHARED, folder))) {
        // What is said in them lies beside them.
        if (name.endsWith('.txt')) continue;
        files.push({ name: `${folder} ${name}`, bytes: await readFile(join(SHARED, folder, name)) });
      }
    await drop(page, files);
    await page.getByText('All read').waitFor({ timeout: 400_000 });
    const ends = await page.locator('.row[data-state]').evaluateAll((rows) =>
      rows.map((row) => {
        const name = row.querySelector('.name')?.textContent?.trim() ?? '';
        const why = row.querySelector('details p')?.textContent ?? '';
        return `${name}: ${row.getAttribute('data-state')} ${why}`;
      }),
    );
    expect(ends.length).toBe(files.length);
    expect(ends.filter((end) => !/: done |: failed audio-/.test(end))).toEqual([]);
    // Samples without a header are nothing that a file could be told by.
    const refused = ends.filter((end) => end.startsWith('formats ') && !/: done /.test(end));
    expect(refused.filter((end) => !/\.raw: failed audio-unsupported/.test(end))).toEqual([]);
    expect(visitor.complaints).toEqual([]);
    await visitor.leave();
  },
);

test('an engine that falls over costs only the file it was reading, which can be read again', async () => {
  const visitor = await visit();
  const { page } = visitor;
  await drop(page, [await clip(), await clip()]);
  const worker = page.workers()[0] ?? (await page.waitForEvent('worker'));
  await worker.evaluate(() =>
    setTimeout(() => {
      throw new Error('it fell over');
    }),
  );
  await page.getByText('All read').waitFor({ timeout: 300_000 });
  expect(
    await page
      .locator('.row[data-state]')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-state'))),
  ).toEqual(['failed', 'done']);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => page.locator('[data-state="done"]').count(), { timeout: 60_000 }).toBe(2);
  await visitor.leave();
});

test('where the browser stores nothing, recordings are read all the same and the page says so', async () => {
  const profile = await mkdtemp(join(tmpdir(), 'sotto-shut-'));
  await mkdir(join(profile, 'Default'));
  const noSiteData = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(noSiteData));
  const visitor = await visit({ profile });
  const { page } = visitor;
  expect(
    await page.evaluate(() => {
      try {
        return localStorage.length;
      } catch {
        return 'denied';
      }
    }),
  ).toBe('denied');
  await drop(page, [await clip()]);
  await page.getByText('Not saved').waitFor({ timeout: 300_000 });
  expect(await page.getByRole('textbox', { name: /^Text at/ }).allTextContents()).toEqual([WHAT_IS_SAID]);
  await page.getByRole('link', { name: 'Library' }).click();
  await page.getByText('Storage is switched off for this page.').first().waitFor();
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});
