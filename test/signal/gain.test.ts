import { describe, expect, test } from 'vitest';
import {
  GainControl,
  type GainOptions,
  LIVE_LOOK_AHEAD_HOPS,
  TARGET_SPEECH_DB,
} from '../../src/signal/gain.ts';
import { BOXED_NUMBER_BYTES, bytesPerCall } from './allocation.ts';
import { haveRecordings, recording } from './recordings.ts';
import { atLevel, concat, furthest, inBlocks, mix, rmsDb, whiteNoise } from './signals.ts';
import { noiseAt, scene, UTTERANCES, utterance } from './speech.ts';

function withGain(
  samples: Float32Array,
  options: GainOptions = {},
  blockSizes = [samples.length],
): Float32Array {
  const control = new GainControl(options);
  const parts = [...inBlocks(samples, blockSizes)].map((block) => {
    const out = new Float32Array(block.length + 160 + control.delaySamples);
    return out.subarray(0, control.push(block, out));
  });
  const last = new Float32Array(control.delaySamples);
  return concat(...parts, last.subarray(0, control.finish(last)));
}

const peakOf = (samples: Float32Array): number => samples.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0);

/** Gain per hop, where there is sound enough to tell. */
function gainsDb(before: Float32Array, after: Float32Array): number[] {
  const gains: number[] = [];
  for (let at = 0; at + 160 <= before.length; at += 160) {
    gains.push(rmsDb(after, at, at + 160) - rmsDb(before, at, at + 160));
  }
  return gains;
}

describe('quiet speech', () => {
  test.each(UTTERANCES.flatMap((name) => [-35, -45, -60].map((db) => [name, db] as const)))(
    '%s at %i dBFS comes to the level wanted, the first word included',
    (name, db) => {
      const { samples, startSample, endSample } = scene(name, db, Math.max(db - 25, -85));
      const lifted = withGain(samples);
      expect(Math.abs(rmsDb(lifted, startSample, endSample) - TARGET_SPEECH_DB)).toBeLessThan(6);
      const firstGain = gainsDb(samples, lifted)[startSample / 160]!;
      const lastGain = gainsDb(samples, lifted)[Math.floor(endSample / 160) - 10]!;
      expect(Math.abs(firstGain - lastGain)).toBeLessThan(6);
    },
  );

  test('is lifted with a live look-ahead too', () => {
    const { samples, startSample, endSample } = scene('whisper', -55, -80);
    const lifted = withGain(samples, { lookAheadHops: LIVE_LOOK_AHEAD_HOPS });
    expect(Math.abs(rmsDb(lifted, startSample, endSample) - TARGET_SPEECH_DB)).toBeLessThan(6);
  });

  test('does not pump: between words and through pauses gain holds still', () => {
    const one = scene('english', -50, -80).samples;
    const samples = concat(one, one, one, one);
    const gains = gainsDb(samples, withGain(samples)).slice(250);
    const changes = gains.map((g, i) => Math.abs(g - (gains[i + 1] ?? g)));
    expect(Math.max(...changes)).toBeLessThan(0.2); // of 10 ms: 6 dB in a second is the most, falls aside
    expect(Math.max(...gains) - Math.min(...gains)).toBeLessThan(7);
  });

  test('that follows loud speech is found, and loud speech that follows quiet does not blare', () => {
    const loud = scene('english', -22, -80).samples;
    const quiet = scene('english', -52, -80).samples;
    const spoken = (samples: Float32Array, at: number): number =>
      rmsDb(samples, at + 16_000, at + loud.length - 16_000);
    const lifted = withGain(concat(loud, quiet, quiet, loud));
    expect(Math.abs(spoken(lifted, 0) - -22)).toBeLessThan(1);
    expect(Math.abs(spoken(lifted, 2 * loud.length) - TARGET_SPEECH_DB)).toBeLessThan(6);
    expect(spoken(lifted, 3 * loud.length)).toBeLessThan(-16);
    expect(peakOf(lifted)).toBeLessThan(10 ** (-1 / 20) + 1e-6);
  });
});

describe('is left alone, bit for bit:', () => {
  test.each<[string, Float32Array]>([
    ['speech that is loud enough', scene('english', -22, -70).samples],
    [
      'speech that clips already',
      scene('mandarin', -12, -70).samples.map((x) => Math.max(-1, Math.min(1, 4 * x))),
    ],
    ['digital silence', new Float32Array(48_000)],
    ['a quiet room', noiseAt(-75, 160_000)],
    ['a noisy room', noiseAt(-35, 160_000)],
  ])('%s', (_, samples) => {
    expect(furthest(withGain(samples), samples)).toBe(0);
  });
});

test('silence after quiet speech keeps the gain it had; nothing creeps up', () => {
  const { samples } = scene('english', -50, -80);
  const long = concat(samples, noiseAt(-80, 20 * 16_000));
  const gains = gainsDb(long, withGain(long)).slice(samples.length / 160);
  expect(Math.max(...gains) - Math.min(...gains)).toBeLessThan(0.01);
});

test('a bang in quiet speech is met with less gain and never passes −1 dBFS', () => {
  const { samples, startSample } = scene('english', -55, -80);
  const banged = samples.slice();
  const bang = atLevel(whiteNoise(800, 1), -12);
  for (const at of [startSample + 4000, startSample + 9003]) bang.forEach((x, i) => (banged[at + i] = x));
  expect(peakOf(withGain(banged))).toBeLessThanOrEqual(10 ** (-1 / 20) + 1e-6);
});

test('any sound at all stays below −1 dBFS or as loud as it was', () => {
  for (let seed = 1; seed < 12; seed++) {
    const shape = whiteNoise(40, 1, seed).map((x) => 10 ** (2 * x - 2.2));
    const samples = whiteNoise(40 * 700, 1, seed + 100).map((x, i) => x * shape[Math.floor(i / 700)]!);
    const lifted = withGain(samples, { lookAheadHops: 1 + (seed % 5), initialGainDb: 20 });
    lifted.forEach((y, i) => {
      if (Math.abs(y) > 10 ** (-1 / 20) + 1e-6)
        expect(Math.abs(y)).toBeLessThanOrEqual(Math.abs(samples[i]!) + 1e-6);
    });
  }
});

test('blocks’ sizes do not matter, and every sample comes out', () => {
  const { samples } = scene('cantonese', -50, -75);
  const odd = samples.subarray(0, samples.length - 77);
  const whole = withGain(odd);
  expect(whole.length).toBe(odd.length);
  for (const sizes of [[128], [1, 7, 5000], [160]]) expect(furthest(withGain(odd, {}, sizes), whole)).toBe(0);
  expect(withGain(odd.subarray(0, 33)).length).toBe(33);
  expect(withGain(new Float32Array(0)).length).toBe(0);
});

test('the caller’s samples are not touched', () => {
  const { samples } = scene('english', -50, -75);
  const copy = samples.slice();
  withGain(samples);
  expect(furthest(samples, copy)).toBe(0);
});

test('tells the verdicts of its speech detection, on the levels before gain', () => {
  const { samples } = scene('english', -50, -80);
  const levels: number[] = [];
  withGain(samples, { onActivity: ({ speech, levelDb }) => speech && levels.push(levelDb) });
  expect(levels.length).toBeGreaterThan(100);
  expect(Math.max(...levels)).toBeLessThan(-38);
});

test('costs no allocation per block', () => {
  const control = new GainControl();
  const block = mix(utterance('english').subarray(4000, 4043), whiteNoise(43, 0.001));
  const out = new Float32Array(500);
  expect(bytesPerCall(() => control.push(block, out), 5000)).toBeLessThan(BOXED_NUMBER_BYTES);
});

test.skipIf(!haveRecordings).each(['zh/glm_example_zh.wav', 'en/fleurs_sonar_audio_1_quiet.wav'])(
  'a natural quiet recording comes to an ordinary level: %s',
  (name) => {
    const { samples } = recording(name);
    const lifted = withGain(samples);
    expect(rmsDb(samples)).toBeLessThan(-58);
    expect(Math.abs(rmsDb(lifted) - TARGET_SPEECH_DB)).toBeLessThan(6);
    expect(peakOf(lifted)).toBeLessThan(10 ** (-1 / 20) + 1e-6);
  },
);
