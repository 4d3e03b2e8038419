import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Clip, readClips } from '../../../src/eval/clips.ts';
import { readSamples } from '../../../src/eval/read-audio.ts';
import { speechLevel } from '../../../src/eval/scenes/active-level.ts';
import { type SceneClipEntry, makeSceneSet, planSet } from '../../../src/eval/scenes/scene-set.ts';
import { type Scene, scenesOf } from '../../../src/eval/scenes/scene.ts';
import { to16Bit, wavBytes } from '../../../src/eval/wav-bytes.ts';
import { SAMPLE_RATE } from '../../../src/signal/units.ts';
import { standInSpeech } from './stand-in-speech.ts';

const NEVER = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'sotto-set-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LANGUAGES = ['zh', 'yue', 'en'];
let clips: Clip[] = [];

beforeAll(() => {
  clips = Array.from({ length: 60 }, (_, i) => ({
    id: `clip${i}`,
    path: join(folder, 'clip.wav'),
    text: `${i}`,
    language: LANGUAGES[i % 3]!,
    whispered: i >= 54,
    scene: 'recorded',
  }));
  writeFileSync(join(folder, 'clip.wav'), wavBytes(to16Bit(standInSpeech(1.5)), SAMPLE_RATE));
});

const five = scenesOf('five')!;
const request = (scenes: readonly Scene[], perScene: number, seed = '1'): Parameters<typeof planSet>[0] => ({
  clips,
  scenes,
  perScene,
  seed,
});

async function make(name: string, ...args: Parameters<typeof request>): Promise<string> {
  const out = join(folder, name);
  let last = 0;
  for await (const { done } of makeSceneSet(request(...args), out, NEVER)) expect(done).toBe(++last);
  return out;
}

describe('plan', () => {
  test('30 clips by default size, six per scene, two per language, none twice', () => {
    const plan = planSet(request(five, 6));
    expect(plan).toHaveLength(30);
    for (const scene of five) {
      const languages = plan.filter((item) => item.scene === scene).map(({ clip }) => clip.language);
      expect(languages.sort()).toEqual(['en', 'en', 'yue', 'yue', 'zh', 'zh']);
    }
    expect(new Set(plan.map(({ clip }) => clip.id)).size).toBe(30);
  });

  test('whispers go into the whisper scene and nowhere else', () => {
    for (const { clip, scene } of planSet(request([...five, ...scenesOf('levels')!], 6))) {
      expect(clip.whispered).toBe(scene.name === 'whisper');
    }
  });

  test('a sweep has the same clips at every level', () => {
    const plan = planSet(request(scenesOf('levels')!, 4));
    const at = (level: number): string[] =>
      plan.filter(({ scene }) => scene.levelDbfs === level).map(({ clip }) => clip.id);
    expect(at(-20)).toHaveLength(4);
    expect(at(-65)).toEqual(at(-20));
  });

  test('another seed takes other clips; a larger set begins with the smaller one', () => {
    const ids = (...args: Parameters<typeof request>): string[] =>
      planSet(request(...args)).map(({ clip }) => clip.id);
    const first = five.slice(0, 1);
    expect(ids(first, 6)).not.toEqual(ids(first, 6, '2'));
    expect(ids(first, 12).slice(0, 6)).toEqual(ids(first, 6));
  });

  test('few clips are taken once per scene and again in the next', () => {
    const plan = planSet({ ...request(five, 6), clips: clips.slice(0, 3) });
    expect(plan).toHaveLength(15);
  });
});

test('the folder is read back as clips, with levels and hashes that hold', async () => {
  const out = await make('set', five, 1);
  const { clips: made } = await readClips(out);
  expect(made.map(({ scene, levelDbfs }) => [scene, levelDbfs]).sort()).toEqual(
    five.map(({ name, levelDbfs }) => [name, levelDbfs]).sort(),
  );
  const list = JSON.parse(readFileSync(join(out, 'clips.json'), 'utf8')) as { clips: SceneClipEntry[] };
  for (const entry of list.clips) {
    const bytes = readFileSync(join(out, entry.file));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(entry.sha256);
    expect(Math.abs(entry.rendered.activeDbfs - entry.levelDbfs)).toBeLessThan(0.1);
    const samples = await readSamples(join(out, entry.file));
    expect(samples.length / SAMPLE_RATE).toBe(entry.seconds);
    expect(speechLevel(samples, SAMPLE_RATE).rmsDbfs).toBeCloseTo(entry.rendered.rmsDbfs, 1);
  }
});

test('the same request makes the same folder, byte for byte', async () => {
  const hashes = (out: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(out, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [
          path.slice(out.length),
          createHash('sha256').update(readFileSync(path)).digest('hex'),
        ]),
    );
  const [a, b, c] = [await make('a', five, 1), await make('b', five, 1), await make('c', five, 1, 'other')];
  expect(Object.keys(hashes(a))).toHaveLength(6);
  expect(hashes(a)).toEqual(hashes(b));
  expect(hashes(a)).not.toEqual(hashes(c));
});

test('stopping leaves no list behind, so that a half-made set is not taken for a whole one', async () => {
  const out = join(folder, 'stopped');
  const stop = new AbortController();
  await expect(async () => {
    for await (const { done } of makeSceneSet(request(five, 2), out, stop.signal)) {
      if (done === 3) stop.abort();
    }
  }).rejects.toThrow('aborted');
  await expect(readClips(out)).rejects.toMatchObject({ code: 'clips-not-found' });
});
