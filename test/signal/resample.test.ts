import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Resampler } from '../../src/signal/resample.ts';
import { BOXED_NUMBER_BYTES, bytesPerCall } from './allocation.ts';
import { haveRecordings, readSound, recording } from './recordings.ts';
import { concat, furthest, inBlocks, rmsDb, sine, whiteNoise } from './signals.ts';

const GOLDENS = join(import.meta.dirname, '../fixtures/goldens');

function resample(samples: Float32Array, rate: number, blockSizes = [samples.length]): Float32Array {
  const resampler = new Resampler(rate);
  const blocks = [...inBlocks(samples, blockSizes)].map((block) => {
    const out = new Float32Array(resampler.maxOutputs(block.length));
    return out.subarray(0, resampler.push(block, out));
  });
  const last = new Float32Array(resampler.maxOutputs(0));
  return concat(...blocks, last.subarray(0, resampler.finish(last)));
}

/** The middle, away from where the sound begins and ends. */
function middle(samples: Float32Array): Float32Array {
  return samples.subarray(Math.floor(samples.length * 0.3), Math.floor(samples.length * 0.7));
}

const RATES = [8000, 11_024, 11_025, 16_000, 22_050, 22_255, 32_000, 44_100, 44_101, 48_000, 96_000, 192_000];

describe.each(RATES)('from %i Hz', (rate) => {
  const seconds = 0.25;
  const half = Math.min(rate, 16_000) / 2;
  const count = Math.floor(rate * seconds);

  test('tones up to the pass band’s edge keep their shape and place', () => {
    for (const part of [0.02, 0.25, 0.5, 0.75, 0.9125]) {
      const found = resample(sine(part * half, count, 1, rate), rate);
      // Equal to the same tone sampled at 16 kHz: no ripple, no delay.
      const expected = sine(part * half, found.length);
      expect(20 * Math.log10(furthest(middle(found), middle(expected)))).toBeLessThan(-90);
    }
  });

  test.skipIf(rate <= 16_000)('tones above 8 kHz do not fold back', () => {
    for (const hz of [8000, 8300, 9999, rate / 2 - 100].filter((f) => f < rate / 2)) {
      expect(rmsDb(middle(resample(sine(hz, count, 1, rate), rate)))).toBeLessThan(-100);
    }
  });

  test('every output within the input’s time is there, and no other', () => {
    for (const inputs of [0, 1, 2, 3, 100, count]) {
      const found = resample(new Float32Array(inputs), rate).length;
      expect(found).toBe(Math.ceil((inputs * 16_000) / rate));
      expect(Resampler.lengthAfter(inputs, rate)).toBe(found);
    }
  });

  test('a constant stays the same constant', () => {
    const found = middle(resample(new Float32Array(count).fill(0.5), rate));
    expect(
      furthest(
        found,
        found.map(() => 0.5),
      ),
    ).toBeLessThan(1e-6);
  });
});

test('is the same for any block sizes, bit for bit', () => {
  const samples = whiteNoise(9000, 0.5);
  fc.assert(
    fc.property(
      fc.constantFrom(8000, 11_024, 16_000, 22_255, 44_100, 48_000, 96_000),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 }),
      (rate, sizes) => {
        expect(furthest(resample(samples, rate, sizes), resample(samples, rate))).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
  expect(resample(samples, 44_100, [1])).toEqual(resample(samples, 44_100));
});

test('16 kHz passes untouched', () => {
  const samples = whiteNoise(5000, 1);
  expect(resample(samples, 16_000, [700])).toEqual(samples);
});

test('an hour of 44.1 kHz does not drift', () => {
  expect(Resampler.lengthAfter(44_100 * 3600, 44_100)).toBe(16_000 * 3600);
});

describe.each([8000, 22_050, 44_100, 48_000])('speech at %i Hz', (rate) => {
  const read = (name: string): Float32Array => readSound(readFileSync(join(GOLDENS, name))).channels[0]!;
  test.each(['scipy', 'soxr'])('sounds as %s makes it', (other) => {
    const expected = read(`resample-${rate}.${other}.wav`);
    const found = resample(read(`resample-${rate}.wav`), rate);
    expect(rmsDb(expected)).toBeGreaterThan(-35);
    // The golden is rounded to 16 bits: half a step is 1.5e-5.
    expect(furthest(found, expected)).toBeLessThan(1e-4);
  });
});

test.skipIf(!haveRecordings)('a real recording at 44.1 kHz is the one published at 16 kHz', () => {
  const fast = recording('formats/ms_whatstheweatherlike_44khz.wav').samples;
  const slow = recording('en/ms_whatstheweatherlike.wav').samples;
  const found = resample(fast, 44_100).subarray(0, slow.length);
  const difference = found.map((x, i) => x - slow[i]!);
  expect(rmsDb(difference) - rmsDb(slow)).toBeLessThan(-30);
});

test.each([48_000, 44_100])('a 128-sample quantum at %i Hz costs no allocation', (rate) => {
  const resampler = new Resampler(rate);
  const quantum = whiteNoise(128, 0.1);
  const out = new Float32Array(resampler.maxOutputs(128));
  expect(bytesPerCall(() => resampler.push(quantum, out), 2000)).toBeLessThan(BOXED_NUMBER_BYTES);
});
