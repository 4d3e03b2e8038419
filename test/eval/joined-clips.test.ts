import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clip } from '../../src/eval/clips.ts';
import { joinClips } from '../../src/eval/joined-clips.ts';
import { readSamples } from '../../src/eval/read-audio.ts';
import { wavBytes } from '../../src/eval/wav-bytes.ts';

const NEVER = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'sotto-joined-'));
afterAll(() => rmSync(folder, { recursive: true }));

let clips: Clip[] = [];
beforeAll(() => {
  clips = ['一', 'one', '二', 'two', '三', '', 'three', '四'].map((text, i) => {
    const path = join(folder, `${i}.wav`);
    writeFileSync(path, wavBytes(new Int16Array(1600).fill(1000 * (i + 1)), 16_000));
    const language = /[a-z]/.test(text) ? 'en' : 'zh';
    return { id: `c${i}`, path, text, language, whispered: false, scene: 'recorded' };
  });
});

test('recordings of one language follow each other a second apart, with their texts', async () => {
  const joined = await joinClips(clips, 2, join(folder, 'out'), NEVER);
  expect(joined.map(({ id, text, language }) => [id, text, language])).toEqual([
    ['c0+1', '一二', 'zh'],
    ['c4+1', '三四', 'zh'],
    ['c1+1', 'one two', 'en'],
  ]);
  const samples = await readSamples(joined[2]!.path);
  expect(samples).toHaveLength(1600 + 16_000 + 1600);
  expect([samples[0], samples[1600], samples.at(-1)]).toEqual([2000 / 32768, 0, 4000 / 32768]);
});
