// Working on a text: from a clip to an edited, searched, exported and deleted transcript.

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { passages, readText, visit } from './visitor.ts';

const SENTENCE = 'I whisper because everybody is sleeping';

test('a text is edited, split, joined, put back, found, exported, kept over a reload, and deleted', async () => {
  const visitor = await visit();
  const { page } = visitor;
  await page
    .getByRole('listitem')
    .filter({ hasText: SENTENCE })
    .getByRole('button', { name: 'Read it' })
    .click();
  expect(await readText(page)).toEqual([SENTENCE]);

  await page.getByRole('textbox', { name: /^Text at/ }).click();
  await page.keyboard.press('Home');
  for (let i = 0; i < 'I whisper'.length; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  expect(await passages(page)).toEqual(['I whisper', 'because everybody is sleeping']);
  await page.keyboard.press('Backspace');
  expect(await passages(page)).toEqual([SENTENCE]);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Undo' }).click();
  expect(await passages(page)).toEqual(['I whisper', 'because everybody is sleeping']);

  await page.getByRole('button', { name: 'Find and replace' }).click();
  await page.getByLabel('Find', { exact: true }).fill('everybody');
  await page.getByLabel('Replace with').fill('everyone');
  await page.getByRole('button', { name: 'Replace all' }).click();
  expect(await passages(page)).toEqual(['I whisper', 'because everyone is sleeping']);
  await page.getByText('Saved', { exact: true }).waitFor();

  await page.reload();
  await page
    .getByRole('textbox', { name: /^Text at/ })
    .first()
    .waitFor();
  expect(await passages(page)).toEqual(['I whisper', 'because everyone is sleeping']);

  await page.getByRole('button', { name: 'Export' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'Subtitles (SRT)' }).click(),
  ]);
  const subtitles = await readFile(await download.path(), 'utf8');
  expect(subtitles).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\nI whisper\n\n2\n/);

  await page.getByRole('link', { name: 'Library' }).click();
  await page.getByLabel('Search').fill('everyone');
  await page.getByText('1 transcript found').waitFor();
  await page.getByRole('button', { name: /^Delete / }).click();
  await page.getByText('Nothing here yet').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('link', { name: /I whisper/ }).waitFor();
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

test('Mandarin is shown in the scripts of Hong Kong and Taiwan without being read again, and found in either', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const sentence = '那个文件你放在哪个文件夹了，记得备份一下';
  await page
    .getByRole('listitem')
    .filter({ hasText: sentence })
    .getByRole('button', { name: 'Read it' })
    .click();
  expect((await readText(page)).join('')).toBe(sentence);
  await page.getByRole('button', { name: 'Chinese script' }).click();
  await page.getByRole('menuitemradio', { name: '繁體（台灣）' }).click();
  await expect
    .poll(async () => (await passages(page)).join(''))
    .toBe('那個文件你放在哪個文件夾了，記得備份一下');
  expect(
    await page
      .getByRole('textbox', { name: /^Text at/ })
      .first()
      .getAttribute('lang'),
  ).toBe('zh-Hant-TW');
  await page.getByRole('link', { name: 'Library' }).click();
  for (const query of ['備份', '备份']) {
    await page.getByLabel('Search').fill(query);
    await page.getByText('1 transcript found').waitFor();
    await page.getByLabel('Search').fill('');
  }
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});
