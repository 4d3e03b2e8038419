// The clips that ship with the page, in every language and on every way of computing there is here.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { computeWith, drop, goHome, readText, visit } from './visitor.ts';

const CLIPS = resolve(import.meta.dirname, '../../public/clips');

/** One clip of each language, as it is dropped, with what a person hears in it. */
const DROPPED = ['en_meeting-on-thursday', 'zh_meeting-tomorrow', 'yue_meeting-tomorrow'];

async function heard(clip: string): Promise<string> {
  return (await readFile(resolve(CLIPS, `${clip}.txt`), 'utf8')).trim();
}

test.each(['wasm', 'webgpu-f32-plain'])(
  'a dropped clip of each language is read exactly on %s',
  async (path) => {
    const visitor = await visit();
    const { page } = visitor;
    await computeWith(page, path);
    for (const clip of DROPPED) {
      await drop(page, [{ name: `${clip}.wav`, bytes: await readFile(resolve(CLIPS, `${clip}.wav`)) }]);
      expect(await readText(page)).toEqual([await heard(clip)]);
      await goHome(page);
    }
    const way = path === 'wasm' ? 'processor' : /WebGPU/;
    expect(await page.getByRole('contentinfo').getByRole('button', { name: way }).count()).toBe(1);
    expect(visitor.complaints).toEqual([]);
    await visitor.leave();
  },
);

test('each clip that the page offers to try is read exactly, and several files wait in line', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const offered = page.getByRole('region', { name: 'Try it' }).getByRole('listitem');
  const texts = await offered.locator('p > span:first-child').allTextContents();
  expect(texts.length).toBe(3);
  for (const [place, text] of texts.entries()) {
    await offered.nth(place).getByRole('button', { name: 'Read it' }).click();
    expect(await readText(page)).toEqual([text]);
    await goHome(page);
  }
  const files = await Promise.all(
    DROPPED.map(async (clip) => ({
      name: `${clip}.wav`,
      bytes: await readFile(resolve(CLIPS, `${clip}.wav`)),
    })),
  );
  await drop(page, files);
  await page.getByText('All read').waitFor();
  expect(await page.locator('[data-state="done"]').count()).toBe(texts.length + files.length);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});
