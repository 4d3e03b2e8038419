import { describe, expect, test } from 'vitest';
import { DEFAULT_OPTIONS, type TranscribeOptions } from '../../src/engine/events.ts';
import type { AudioWindow } from '../../src/engine/segmenter.ts';
import { windowsOf } from '../../src/engine/windows.ts';
import { TARGET_SPEECH_DB } from '../../src/signal/gain.ts';
import type { AudioBlock } from '../../src/signal/units.ts';
import { inBlocks, rmsDb } from '../signal/signals.ts';
import { scene } from '../signal/speech.ts';

async function* blocksOf(samples: Float32Array, sizes: readonly number[]): AsyncGenerator<AudioBlock> {
  let startSample = 0;
  for (const block of inBlocks(samples, [...sizes])) {
    yield { startSample, samples: block };
    startSample += block.length;
  }
}

async function windows(
  samples: Float32Array,
  options: Partial<TranscribeOptions> = {},
  sizes: readonly number[] = [16_000],
): Promise<AudioWindow[]> {
  const all: AudioWindow[] = [];
  for await (const window of windowsOf(blocksOf(samples, sizes), { ...DEFAULT_OPTIONS, ...options })) {
    all.push(window);
  }
  return all;
}

const { samples, startSample, endSample } = scene('english', -50, -80);

describe('windows of a quiet recording', () => {
  test('hold the speech, lifted to a steady level', async () => {
    const [window] = await windows(samples);
    expect(window).toBeDefined();
    const from = startSample - window!.startSample;
    expect(from).toBeGreaterThanOrEqual(0);
    const levelDb = rmsDb(window!.samples, from, from + endSample - startSample);
    expect(Math.abs(levelDb - TARGET_SPEECH_DB)).toBeLessThan(6);
  });

  test('hold the recording bit for bit where no gain is asked for, in the same place', async () => {
    const [lifted] = await windows(samples);
    const [plain] = await windows(samples, { gain: false });
    expect([plain!.startSample, plain!.utterances]).toEqual([lifted!.startSample, lifted!.utterances]);
    expect(plain!.samples).toEqual(
      samples.slice(plain!.startSample, plain!.startSample + plain!.samples.length),
    );
  });

  test.each([{ sizes: [7] }, { sizes: [160] }, { sizes: [4_000, 1] }, { sizes: [100_000] }])(
    'are the same for blocks of $sizes samples',
    async ({ sizes }) => {
      expect(await windows(samples, {}, sizes)).toEqual(await windows(samples));
    },
  );

  test('leave the blocks that came in as they were', async () => {
    const before = samples.slice();
    await windows(samples, {}, [samples.length]);
    expect(samples).toEqual(before);
  });
});
