// Somebody speaks into the microphone. Chromium's fake one plays a file; all else is as it ships.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Resampler } from '../../src/signal/resample.ts';
import { to16Bit, wavBytes } from '../../src/eval/wav-bytes.ts';
import { readSound } from '../signal/recordings.ts';
import { atLevel, concat, furthest } from '../signal/signals.ts';
import { passages, readText, visit } from './visitor.ts';

const CLIPS = resolve(import.meta.dirname, '../../public/clips');
/** Between two sentences: long enough to close a window. */
const PAUSE_SECONDS = 1.5;
const DEVICE_RATE = 48_000;

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sotto-microphone-'))));
afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }));

interface Spoken {
  readonly path: string;
  readonly texts: string[];
  readonly seconds: number;
  /** As a perfect microphone would record it, at 16 kHz. */
  readonly samples: Float32Array;
}

/** A second of quiet, then the clips with pauses between and behind them; at a level where one is given. */
async function speak(...clips: (string | [clip: string, levelDb: number])[]): Promise<Spoken> {
  const pause = new Float32Array(PAUSE_SECONDS * 16_000);
  const parts: Float32Array[] = [pause];
  const texts: string[] = [];
  for (const entry of clips) {
    const [clip, levelDb] = typeof entry === 'string' ? [entry, undefined] : entry;
    const [sound] = readSound(await readFile(join(CLIPS, `${clip}.wav`))).channels;
    parts.push(levelDb === undefined ? sound! : atLevel(sound!, levelDb), pause);
    texts.push((await readFile(join(CLIPS, `${clip}.txt`), 'utf8')).trim());
  }
  const samples = concat(...parts);
  const path = join(folder, `${crypto.randomUUID()}.wav`);
  await writeFile(path, wavBytes(to16Bit(resampled(samples, DEVICE_RATE)), DEVICE_RATE));
  return { path, texts, seconds: samples.length / 16_000, samples };
}

function resampled(samples: Float32Array, rate: number): Float32Array {
  const resampler = new Resampler(16_000, rate);
  const out = new Float32Array(resampler.maxOutputs(samples.length));
  const made = resampler.push(samples, out);
  const rest = new Float32Array(resampler.maxOutputs(0));
  return concat(out.subarray(0, made), rest.subarray(0, resampler.finish(rest)));
}

/** Chooses before the page is opened, as an earlier visit would have. */
async function choose(page: Page, choices: Record<string, unknown>): Promise<void> {
  await page.evaluate((kept) => localStorage.setItem('sotto-settings', JSON.stringify(kept)), choices);
  await page.reload();
}

async function startRecording(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Record Speak/ }).click();
  await page.getByRole('button', { name: 'Stop' }).waitFor();
}

/** The recording that was kept beside the newest transcript. */
async function keptSound(page: Page): Promise<Float32Array> {
  const numbers = await page.evaluate(async () => {
    const request = indexedDB.open('sotto-library');
    const database = await new Promise<IDBDatabase>(
      (done) => (request.onsuccess = () => done(request.result)),
    );
    const range = IDBKeyRange.bound(['audio'], ['audio', []]);
    const asking = database.transaction('records').objectStore('records').getAll(range);
    const [blob] = await new Promise<Blob[]>(
      (done) => (asking.onsuccess = () => done(asking.result as Blob[])),
    );
    database.close();
    return blob === undefined ? [] : [...new Int16Array(await blob.slice(44).arrayBuffer())];
  });
  return Float32Array.from(numbers, (x) => x / 32_768);
}

/** Where `part` lies in `whole`: the place of the greatest likeness. */
function placeOf(part: Float32Array, whole: Float32Array): number {
  let [best, bestLikeness] = [0, -Infinity];
  for (let at = 0; at + part.length <= whole.length; at++) {
    let product = 0;
    for (let i = 0; i < part.length; i += 4) product += part[i]! * whole[at + i]!;
    if (product > bestLikeness) [best, bestLikeness] = [at, product];
  }
  return best;
}

const TAPS = 64;
/** A microphone at 48 kHz opens at a sample of ours, or a third of one beside it. */
const FRACTIONS = [-1 / 3, 0, 1 / 3];

/** The sound by a fraction of a sample later: a windowed sinc, right up to near half of the rate. */
function later(samples: Float32Array, fraction: number): Float32Array {
  const taps = Array.from({ length: TAPS }, (_, i) => {
    const x = i - TAPS / 2 - fraction;
    const window = 0.5 + 0.5 * Math.cos((2 * Math.PI * x) / TAPS);
    return window * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  });
  return samples.map((_, at) => {
    let sum = 0;
    for (let i = 0; i < TAPS; i++) sum += taps[i]! * (samples[at - i + TAPS / 2] ?? 0);
    return sum;
  });
}

// Where the machine has no time for it, Chromium's fake microphone itself loses sound (seen on a crowded one, with
// unchanged code). What our code loses it loses every time.
const FAKE_MICROPHONE = { retry: 4 };

test(
  'what is spoken in each language, whispered and very quietly, is read exactly; no sample is lost or changed',
  FAKE_MICROPHONE,
  async () => {
    const spoken = await speak(
      'en_meeting-on-thursday',
      'zh_meeting-tomorrow',
      'yue_meeting-tomorrow',
      'en_i-whisper',
      ['en_call-me-back', -45],
    );
    const visitor = await visit({ spoken: spoken.path });
    const { page } = visitor;
    await choose(page, { device: 'wasm', keepAudio: true });
    await startRecording(page);
    await page.waitForTimeout(spoken.seconds * 1000);
    // The text comes while the microphone is open.
    await page.locator('main .text').getByText(spoken.texts[0]!).waitFor({ timeout: 120_000 });
    await page.getByRole('button', { name: 'Stop' }).click();
    expect(await readText(page)).toEqual(spoken.texts);

    const kept = await keptSound(page);
    const from = PAUSE_SECONDS * 16_000;
    const place = placeOf(spoken.samples.subarray(from, from + 24_000), kept);
    const [start, end] = [
      Math.max(0, from - place),
      Math.min(spoken.samples.length, kept.length + from - place),
    ];
    expect(end - start).toBeGreaterThan((spoken.seconds - PAUSE_SECONDS) * 16_000);
    // The microphone seldom opens just at a sample of ours: by how much beside it, the first words tell.
    const lead = place - from;
    const said = spoken.samples.subarray(from, from + 24_000);
    const missed = (fraction: number): number =>
      furthest(
        later(said, fraction).subarray(TAPS, -TAPS),
        kept.subarray(place + TAPS, place + said.length - TAPS),
      );
    const fraction = FRACTIONS.reduce((best, one) => (missed(one) < missed(best) ? one : best));
    const heard = later(spoken.samples, fraction);
    // The edge of the resampler's band; behind a lost block everything would differ by as much as speech does,
    // 0.1 and more.
    const compared = heard.subarray(start, end - 400);
    expect(furthest(compared, kept.subarray(start + lead, end - 400 + lead))).toBeLessThan(0.03);
    expect(visitor.complaints).toEqual([]);
    await visitor.leave();
  },
);

test('the same on WebGPU, where reading is slower than speaking: the text comes late, and whole', async () => {
  const spoken = await speak('zh_meeting-tomorrow');
  const visitor = await visit({ spoken: spoken.path });
  const { page } = visitor;
  await choose(page, { device: 'webgpu-f32-plain' });
  await startRecording(page);
  await page.waitForTimeout(spoken.seconds * 1000);
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(await readText(page)).toEqual(spoken.texts);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

test('an unplugged microphone ends the recording, and what was said is read', async () => {
  const spoken = await speak('en_thank-you');
  const visitor = await visit({ spoken: spoken.path });
  const { page } = visitor;
  await page.addInitScript(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
      const stream = await open(wish);
      // What a browser does when the plug is pulled.
      Object.assign(globalThis, {
        unplug: () =>
          stream.getTracks().forEach((track) => {
            track.stop();
            track.dispatchEvent(new Event('ended'));
          }),
      });
      return stream;
    };
  });
  await choose(page, { device: 'wasm' });
  await startRecording(page);
  await page.waitForTimeout(spoken.seconds * 1000);
  await page.evaluate(() => (globalThis as unknown as { unplug(): void }).unplug());
  await page
    .getByRole('link', { name: /Recording/ })
    .first()
    .click();
  await expect.poll(() => passages(page), { timeout: 60_000 }).toEqual(spoken.texts);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

/** Runs before the keeping thread's own code: after a second of slices the disk is full. */
const FULL_DISK = `
  const put = IDBObjectStore.prototype.put;
  let puts = 0;
  IDBObjectStore.prototype.put = function (...record) {
    if (++puts > 2) throw new DOMException('no room', 'QuotaExceededError');
    return put.apply(this, record);
  };
`;

test('when the disk is full the page says so, text still comes, and the recording is whole', async () => {
  const spoken = await speak('zh_which-folder');
  const visitor = await visit({ spoken: spoken.path, serviceWorkers: 'block' });
  const { page } = visitor;
  await page.route(/journal\.worker-.*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: FULL_DISK + (await response.text()) });
  });
  await choose(page, { device: 'wasm', keepAudio: true });
  await startRecording(page);
  await page.waitForTimeout(spoken.seconds * 1000);
  await page.getByText('The browser has no room for the recording.').waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(await readText(page)).toEqual(spoken.texts);
  const kept = await keptSound(page);
  expect(kept.length).toBeGreaterThan((spoken.seconds - PAUSE_SECONDS) * 16_000);
  await visitor.leave();
});

test('without what tells voices from other sounds, what is spoken is read, and the page says so while it listens', async () => {
  const spoken = await speak('en_meeting-on-thursday');
  const visitor = await visit({ spoken: spoken.path, serviceWorkers: 'block' });
  const { page } = visitor;
  await page.route(/silero.*\.onnx$/, (route) => route.abort());
  await choose(page, { device: 'wasm' });
  await startRecording(page);
  const warning = page.getByText('What tells voices from other sounds does not work here.');
  await warning.waitFor({ timeout: 120_000 });
  await page.locator('main .text').getByText(spoken.texts[0]!).waitFor({ timeout: 120_000 });
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(await readText(page)).toEqual(spoken.texts);
  expect(await warning.count()).toBe(1);
  await visitor.leave();
});

test('who will not wait for the rest cancels, and the recording can still be finished', async () => {
  const spoken = await speak('en_thank-you');
  const visitor = await visit({ spoken: spoken.path, serviceWorkers: 'block' });
  const { page } = visitor;
  await choose(page, { device: 'wasm' });
  // A model that never arrives.
  await page.route(/models\/sample\//, () => undefined);
  await startRecording(page);
  await page.waitForTimeout(spoken.seconds * 1000);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('Reading stopped at').waitFor();
  await page.unrouteAll();
  await page.goto(page.url().replace(/#.*/, ''));
  await page.reload();
  const card = page.getByRole('region', { name: 'A recording was cut off' });
  await card.getByRole('button', { name: 'Finish it' }).click();
  await page.getByText('All read').waitFor({ timeout: 120_000 });
  await page
    .getByRole('link', { name: /Recording/ })
    .first()
    .click();
  await expect.poll(() => passages(page), { timeout: 60_000 }).toEqual(spoken.texts);
  await visitor.leave();
});

test('push to talk: a paused recording hears while the key is held, and the captions window shows what it heard', async () => {
  const spoken = await speak('en_thank-you', 'zh_which-folder');
  const first = readSound(await readFile(join(CLIPS, 'en_thank-you.wav'))).channels[0]!.length / 16_000;
  const visitor = await visit({ spoken: spoken.path });
  const { page } = visitor;
  // A window of its own, which a test can look into.
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'documentPictureInPicture'));
  await choose(page, { device: 'wasm', letterKeys: true });
  await startRecording(page);
  await page.keyboard.press('p');
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  const opening = page.context().waitForEvent('page');
  await page.getByRole('button', { name: 'Captions window' }).click();
  const captions = await opening;
  await page.bringToFront();
  await page.waitForTimeout((PAUSE_SECONDS + first) * 1000);
  await page.keyboard.down('t');
  await page.waitForTimeout((spoken.seconds - PAUSE_SECONDS - first) * 1000);
  await page.keyboard.up('t');
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  await captions.getByText(spoken.texts[1]!).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(await readText(page)).toEqual([spoken.texts[1]]);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

/** Samples in the journal of the recording that was cut off. */
function journalled(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const request = indexedDB.open('sotto-journal');
    const database = await new Promise<IDBDatabase>(
      (done) => (request.onsuccess = () => done(request.result)),
    );
    const asking = database
      .transaction('records')
      .objectStore('records')
      .getAllKeys(IDBKeyRange.bound(['slice'], ['slice', []]));
    const keys = await new Promise<[string, string, number][]>(
      (done) => (asking.onsuccess = () => done(asking.result as never)),
    );
    database.close();
    return Math.max(0, ...keys.map(([, , startSample]) => startSample + 8000));
  });
}

const KILLS = Number(process.env.SOTTO_KILLS ?? 2);

test('of a killed tab at most a second is lost, and what was heard is read to its end when it is asked for', async () => {
  const spoken = await speak('en_thank-you', 'zh_which-folder');
  const profile = await mkdtemp(join(tmpdir(), 'sotto-killed-'));
  // A service worker dies with the tab, and Playwright then holds up its next start (Chromium itself does not).
  const visitor = await visit({ profile, spoken: spoken.path, serviceWorkers: 'block' });
  let { page } = visitor;
  const url = page.url();
  await choose(page, { device: 'wasm' });
  for (let kill = 1; kill <= KILLS; kill++) {
    const last = kill === KILLS;
    await startRecording(page);
    const sinceMs = performance.now();
    await page.waitForTimeout(last ? spoken.seconds * 1000 : 1500 + 137 * (kill % 7));
    const heardSeconds = (performance.now() - sinceMs) / 1000;
    await page.goto('chrome://crash').catch(() => undefined);
    page = await visitor.context.newPage();
    await page.goto(url);
    const card = page.getByRole('region', { name: 'A recording was cut off' });
    await card.waitFor();
    expect(heardSeconds - (await journalled(page)) / 16_000).toBeLessThan(1);
    if (!last) {
      await card.getByRole('button', { name: 'Delete it' }).click();
      await card.waitFor({ state: 'detached' });
      await expect.poll(() => journalled(page)).toBe(0);
    } else await card.getByRole('button', { name: 'Finish it' }).click();
  }
  await page.getByText('All read').waitFor({ timeout: 120_000 });
  await page
    .getByRole('link', { name: /Recording/ })
    .first()
    .click();
  await expect.poll(() => passages(page), { timeout: 60_000 }).toEqual(spoken.texts);
  await expect.poll(() => journalled(page)).toBe(0);
  await visitor.leave();
  await rm(profile, { recursive: true });
});
