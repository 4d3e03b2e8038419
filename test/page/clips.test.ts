// The clips that ship with the page, in every language and on every way of computing there is here.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { computeWith, drop, type DroppedFile, goHome, readText, visit } from './visitor.ts';

const CLIPS = resolve(import.meta.dirname, '../../public/clips');

/** One clip of each language, as it is dropped. */
const DROPPED = ['en_meeting-on-thursday', 'zh_meeting-tomorrow', 'yue_meeting-tomorrow'] as const;

/** What a person hears in it. */
async function heard(clip: string): Promise<string> {
  return (await readFile(resolve(CLIPS, `${clip}.txt`), 'utf8')).trim();
}

async function recording(clip: string): Promise<DroppedFile> {
  return { name: `${clip}.wav`, bytes: await readFile(resolve(CLIPS, `${clip}.wav`)) };
}

async function dropAndRead(page: Page, clip: string): Promise<void> {
  await drop(page, [await recording(clip)]);
  expect(await readText(page)).toEqual([await heard(clip)]);
  await goHome(page);
}

test('a dropped clip of each language is read exactly on WASM', async () => {
  const visitor = await visit();
  const { page } = visitor;
  await computeWith(page, 'wasm');
  for (const clip of DROPPED) await dropAndRead(page, clip);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

/** Runs before the engine's own code: keeps the real devices at hand, so that the test can destroy one. */
const KEEP_DEVICES = `
  const request = GPUAdapter.prototype.requestDevice;
  globalThis.devices = [];
  GPUAdapter.prototype.requestDevice = async function (...options) {
    const device = await request.apply(this, options);
    globalThis.devices.push(device);
    return device;
  };
`;

test('a dropped clip of each language is read exactly on WebGPU, the last although its device is destroyed', async () => {
  const visitor = await visit({ serviceWorkers: 'block' });
  const { page } = visitor;
  await page.route(/asr\.worker-.*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: KEEP_DEVICES + (await response.text()) });
  });
  await computeWith(page, 'webgpu-f32-plain');
  const [english, mandarin, cantonese] = DROPPED;
  await dropAndRead(page, english);
  await dropAndRead(page, mandarin);
  expect(
    await page
      .getByRole('contentinfo')
      .getByRole('button', { name: /WebGPU/ })
      .count(),
  ).toBe(1);

  await drop(page, [await recording(cantonese)]);
  // The text is on screen from the moment that the engine works on it.
  await page.getByRole('textbox', { name: 'Title' }).waitFor();
  const [worker] = page.workers();
  await worker?.evaluate(() => {
    (globalThis as unknown as { devices: GPUDevice[] }).devices.at(-1)?.destroy();
  });
  expect(await readText(page)).toEqual([await heard(cantonese)]);
  const devices = await worker?.evaluate(
    () => (globalThis as unknown as { devices: GPUDevice[] }).devices.length,
  );
  expect(devices, 'a second device was made').toBe(2);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

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
  await drop(page, await Promise.all(DROPPED.map(recording)));
  await page.getByText('All read').waitFor();
  expect(await page.locator('[data-state="done"]').count()).toBe(texts.length + DROPPED.length);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

const STRINGS = resolve(import.meta.dirname, '../../../shared/audio/music/hungarian_dance_5.ogg');

test.skipIf(!existsSync(STRINGS))(
  'strings, in which the first look hears a voice, give no text',
  async () => {
    const visitor = await visit();
    const { page } = visitor;
    await computeWith(page, 'wasm');
    await drop(page, [{ name: 'strings.ogg', bytes: await readFile(STRINGS) }]);
    expect(await readText(page)).toEqual([]);
    await page.getByText('No speech was heard in this recording.').waitFor();
    expect(visitor.complaints).toEqual([]);
    await visitor.leave();
  },
);
