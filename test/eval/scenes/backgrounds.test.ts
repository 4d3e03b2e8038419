import { expect, test } from 'vitest';
import { spectrumOf } from '../../../src/eval/scenes/fourier.ts';
import { makeMusic } from '../../../src/eval/scenes/music.ts';
import { NOISES, makeNoise } from '../../../src/eval/scenes/noise.ts';
import { SeededRandom } from '../../../src/eval/seeded-random.ts';
import { SAMPLE_RATE } from '../../../src/signal/units.ts';
import { rms } from './measures.ts';

test.each(NOISES)('%s noise has an RMS of 1 and is another one with another seed', (kind) => {
  const make = (seed: string): Float64Array => makeNoise(kind, 16_000, SAMPLE_RATE, new SeededRandom(seed));
  expect(rms(make('a'))).toBeCloseTo(1, 10);
  expect(make('a')).toEqual(make('a'));
  expect(make('a')).not.toEqual(make('b'));
});

test('room noise falls by 3 dB per octave', () => {
  const noise = makeNoise('room', 2 ** 18, SAMPLE_RATE, new SeededRandom('pink'));
  const { re, im } = spectrumOf(noise, 2 ** 18);
  const density = (hertz: number): number => {
    const [from, to] = [0.9, 1.1].map((factor) => Math.round((hertz * factor * 2 ** 18) / SAMPLE_RATE));
    let power = 0;
    for (let k = from!; k < to!; k++) power += re[k]! ** 2 + im[k]! ** 2;
    return 10 * Math.log10(power / (to! - from!));
  };
  expect(density(200) - density(400)).toBeCloseTo(3, 0);
  expect(density(400) - density(6400)).toBeCloseTo(12, 0);
});

test('music is steady, tonal and another piece with another seed', () => {
  const piece = (seed: string): Float64Array =>
    makeMusic(4 * SAMPLE_RATE, SAMPLE_RATE, new SeededRandom(seed));
  const music = piece('a');
  expect(rms(music)).toBeCloseTo(1, 10);
  expect(music).toEqual(piece('a'));
  expect(music).not.toEqual(piece('b'));
  for (let second = 0; second < 4; second++) {
    expect(rms(music.slice(second * SAMPLE_RATE, (second + 1) * SAMPLE_RATE))).toBeGreaterThan(0.3);
  }
  // A few tones hold nearly all of the energy.
  const { re, im } = spectrumOf(music, 2 ** 16);
  const powers = re.map((x, k) => x ** 2 + im[k]! ** 2).sort();
  const loudest = powers.slice(-0.02 * powers.length).reduce((a, b) => a + b);
  expect(loudest / powers.reduce((a, b) => a + b)).toBeGreaterThan(0.9);
});
