import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { speechLevel } from '../../../src/eval/scenes/active-level.ts';
import { makeNoise } from '../../../src/eval/scenes/noise.ts';
import { SeededRandom } from '../../../src/eval/seeded-random.ts';
import { SAMPLE_RATE } from '../../../src/signal/units.ts';
import { readSound } from '../../signal/recordings.ts';
import { standInSpeech } from './stand-in-speech.ts';

const level = (samples: Float32Array | Float64Array): number => speechLevel(samples, SAMPLE_RATE).activeDbfs;
const spread = (samples: Float32Array, gain: number): Float32Array => samples.map((x) => x * gain);

test.each([
  // Measured with the speech voltmeter of the ITU-T Software Tool Library (G.191, sv56 2.3), its
  // interpolation tolerance set to 0.0001 dB.
  ['log-mel-cantonese.wav', -59.887],
  ['log-mel-english.wav', -22.72],
  ['log-mel-mandarin.wav', -44.88],
  ['log-mel-whisper.wav', -37.772],
])('agrees with the ITU voltmeter on %s', (name, expected) => {
  const file = readFileSync(new URL(`../../fixtures/goldens/${name}`, import.meta.url));
  expect(level(readSound(file).channels[0]!)).toBeCloseTo(expected, 1);
});

test('on steady sound it is the RMS level', () => {
  const noise = makeNoise('white', 10 * SAMPLE_RATE, SAMPLE_RATE, new SeededRandom('steady'));
  const quiet = noise.map((x) => x * 0.01);
  expect(level(quiet)).toBeCloseTo(-40, 1);
  expect(speechLevel(quiet, SAMPLE_RATE).activity).toBeGreaterThan(0.98);
});

test('pauses do not count', () => {
  const speech = standInSpeech(8);
  const withPause = new Float32Array(speech.length + 20 * SAMPLE_RATE);
  withPause.set(speech);
  const [alone, paused] = [speechLevel(speech, SAMPLE_RATE), speechLevel(withPause, SAMPLE_RATE)];
  expect(paused.activeDbfs).toBeCloseTo(alone.activeDbfs, 1);
  expect(paused.rmsDbfs).toBeLessThan(alone.rmsDbfs - 5);
});

test('a noise floor 30 dB below does not count either', () => {
  const speech = standInSpeech(8);
  const noise = makeNoise('room', speech.length, SAMPLE_RATE, new SeededRandom('floor'));
  const floor = 10 ** ((level(speech) - 30) / 20);
  const mixed = speech.map((x, i) => x + floor * noise[i]!);
  expect(level(mixed)).toBeCloseTo(level(speech), 1);
});

test('it follows the gain, down to −90 dBFS', () => {
  const speech = standInSpeech(6);
  for (const gainDb of [-10, -33.3, -50, -70]) {
    const quieter = level(spread(speech, 10 ** (gainDb / 20)));
    // Thresholds stay where they are, so the interpolation moves a little.
    expect(Math.abs(quieter - (level(speech) + gainDb))).toBeLessThan(0.05);
  }
});

test('silence has no level', () => {
  expect(speechLevel(new Float32Array(16_000), SAMPLE_RATE)).toEqual({
    activeDbfs: -Infinity,
    rmsDbfs: -Infinity,
    activity: 0,
  });
});
