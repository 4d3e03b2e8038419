import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogMelStream, windowFeatures } from '../../src/signal/log-mel.ts';
import { WINDOW_FRAMES, WINDOW_SAMPLES } from '../../src/signal/units.ts';
import { BOXED_NUMBER_BYTES, bytesPerCall } from './allocation.ts';
import { haveRecordings, readSound, recording } from './recordings.ts';
import { concat, furthest, inBlocks, sine, whiteNoise } from './signals.ts';

const GOLDENS = join(import.meta.dirname, '../fixtures/goldens');
const TOLERANCE = 1e-4;

interface Summary {
  probes: [band: number, frame: number, value: number][];
  min: number;
  max: number;
  mean: number;
  std: number;
}
interface Golden {
  formulas: Record<string, Summary>;
  utterances: (Summary & { name: string; melBins: number; frameStep: number })[];
  recordings: Record<string, Summary & { samples: number }>;
}
const golden = JSON.parse(readFileSync(join(GOLDENS, 'log-mel.json'), 'utf8')) as Golden;

function summaryOf(features: Float32Array, { probes }: Summary): Summary {
  let [sum, squares, min, max] = [0, 0, Infinity, -Infinity];
  for (const x of features) {
    sum += x;
    squares += x * x;
    min = Math.min(min, x);
    max = Math.max(max, x);
  }
  const mean = sum / features.length;
  return {
    probes: probes.map(([band, frame]) => [band, frame, features[band * WINDOW_FRAMES + frame]!]),
    min,
    max,
    mean,
    std: Math.sqrt(Math.max(squares / features.length - mean ** 2, 0)),
  };
}

function expectSummary(features: Float32Array, expected: Summary): void {
  const found = summaryOf(features, expected);
  expected.probes.forEach(([band, frame, value], i) => {
    expect(Math.abs(found.probes[i]![2] - value), `band ${band}, frame ${frame}`).toBeLessThan(TOLERANCE);
  });
  for (const key of ['min', 'max', 'mean', 'std'] as const) {
    expect(Math.abs(found[key] - expected[key]), key).toBeLessThan(TOLERANCE);
  }
}

const formulas: Record<string, Float32Array> = {
  tone: sine(440, 16_000, 0.5),
  chirp: Float32Array.from({ length: 16_000 }, (_, n) => {
    const t = n / 16_000;
    return 0.3 * Math.sin(2 * Math.PI * (100 * t + 1950 * t ** 2));
  }),
  silence: new Float32Array(16_000),
  noise: whiteNoise(48_000, 0.1),
};

describe('a window equals the reference', () => {
  test.each(Object.keys(formulas))('%s', (name) => {
    expectSummary(windowFeatures(formulas[name]!, { melBins: 128 }), golden.formulas[name]!);
  });

  test.each(golden.utterances)('every seventh frame of a synthetic utterance: $name', (utterance) => {
    const { name, melBins, frameStep } = utterance;
    const samples = readSound(readFileSync(join(GOLDENS, `log-mel-${name}.wav`))).channels[0]!;
    const expected = new Float32Array(readFileSync(join(GOLDENS, `log-mel-${name}.f32`)).buffer.slice(0));
    const features = windowFeatures(samples, { melBins });
    const found = expected.map((_, i) => {
      const frame = Math.floor(i / melBins) * frameStep;
      return features[(i % melBins) * WINDOW_FRAMES + frame]!;
    });
    expect(expected.length).toBeGreaterThan(25 * melBins);
    expect(furthest(found, expected)).toBeLessThan(TOLERANCE);
    expectSummary(features, utterance);
  });

  test.skipIf(!haveRecordings).each(Object.keys(golden.recordings))('a real recording: %s', (name) => {
    const { samples } = recording(name);
    const expected = golden.recordings[name]!;
    expectSummary(windowFeatures(samples.subarray(0, WINDOW_SAMPLES), { melBins: 128 }), expected);
  });

  test('digital silence is −1.5 throughout, and so is a window without samples', () => {
    for (const samples of [new Float32Array(480_000), new Float32Array(0)]) {
      expect(windowFeatures(samples, { melBins: 128 }).every((x) => x === -1.5)).toBe(true);
    }
  });
});

/** All frames that a stream makes of a recording. */
function streamed(samples: Float32Array, melBins: number, blockSizes = [samples.length]): Float32Array {
  const stream = new LogMelStream(melBins);
  const all = new Float32Array(LogMelStream.maxFrames(samples.length) * melBins);
  let frames = 0;
  for (const block of inBlocks(samples, blockSizes))
    frames += stream.push(block, all.subarray(frames * melBins));
  expect(stream.frames).toBe(frames);
  return all.subarray(0, frames * melBins);
}

describe('streamed frames', () => {
  const melBins = 80;
  const recorded = concat(whiteNoise(30_000, 0.2), sine(300, 20_000, 0.01), new Float32Array(3000));

  test('are the same for any block sizes', () => {
    const whole = streamed(recorded, melBins);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        expect(furthest(streamed(recorded, melBins, sizes), whole)).toBe(0);
      }),
      { numRuns: 15 },
    );
    expect(furthest(streamed(recorded, melBins, [128]), whole)).toBe(0);
  });

  test('come as soon as their last sample is there', () => {
    const stream = new LogMelStream(melBins);
    const out = new Float32Array(melBins);
    expect(stream.push(recorded.subarray(0, 199), out)).toBe(0);
    expect(stream.push(recorded.subarray(199, 200), out)).toBe(1);
    expect(stream.push(recorded.subarray(200, 359), out)).toBe(0);
    expect(stream.push(recorded.subarray(359, 360), out)).toBe(1);
  });

  test.each([
    ['the whole recording', 0, recorded.length, WINDOW_FRAMES],
    ['a stretch in the middle', 40, 20_000, WINDOW_FRAMES],
    ['a stretch that ends between two frames, padded short', 17, 12_345, 80],
    ['a stretch that fills its window to the last sample', 60, 80 * 160, 80],
    ['a stretch one sample short of it', 60, 80 * 160 - 1, 80],
    ['less than a frame', 100, 77, 8],
  ])('finished as a window equal the window made at once: %s', (_, startFrame, length, frames) => {
    const samples = recorded.slice(startFrame * 160, startFrame * 160 + length);
    const logMel = streamed(recorded, melBins);
    const whole = windowFeatures(samples, { melBins, frames });
    const finished = windowFeatures(samples, {
      melBins,
      frames,
      streamed: { logMel, firstFrame: -startFrame },
    });
    expect(furthest(finished, whole)).toBe(0);
  });

  test('are really used, and only where they belong', () => {
    const samples = recorded.slice(0, 16_000);
    const logMel = new Float32Array(40 * melBins).fill(-3);
    const features = windowFeatures(samples, { melBins, streamed: { logMel, firstFrame: 20 } });
    const plain = windowFeatures(samples, { melBins });
    const at = (f: Float32Array, frame: number): number => f[5 * WINDOW_FRAMES + frame]!;
    expect(at(features, 19)).toBe(at(plain, 19));
    expect([at(features, 20), at(features, 59)]).toEqual([0.25, 0.25]);
    expect(at(features, 60)).toBe(at(plain, 60));
  });

  test('cost no allocation per block', () => {
    const stream = new LogMelStream(128);
    const out = new Float32Array(128);
    const block = whiteNoise(43, 0.1);
    expect(bytesPerCall(() => stream.push(block, out), 2000)).toBeLessThan(BOXED_NUMBER_BYTES);
  });
});

describe('a short pad', () => {
  test('gives the same frames as the long one as far as they do not touch its end', () => {
    const samples = whiteNoise(16_000, 0.1);
    const long = windowFeatures(samples, { melBins: 128 });
    const short = windowFeatures(samples, { melBins: 128, frames: 104 });
    for (let band = 0; band < 128; band++) {
      expect(
        furthest(short.subarray(band * 104, band * 104 + 102), long.subarray(band * 3000, band * 3000 + 102)),
      ).toBe(0);
    }
  });

  test('must be a multiple of 8 and hold the samples', () => {
    expect(() => windowFeatures(new Float32Array(100), { melBins: 80, frames: 100 })).toThrow(
      'multiple of 8',
    );
    expect(() => windowFeatures(new Float32Array(1281), { melBins: 80, frames: 8 })).toThrow(
      'fit the window',
    );
  });
});
