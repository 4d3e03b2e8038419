import { expect, test } from 'vitest';
import { doubles } from '../../src/signal/doubles.ts';
import { FFT_SIZE, RealFft, SPECTRUM_BINS } from '../../src/signal/fft.ts';
import { BOXED_NUMBER_BYTES, bytesPerCall } from './allocation.ts';
import { furthest, sine, whiteNoise } from './signals.ts';

/** |X[k]|² as the definition has it. */
function naivePower(samples: Float32Array): number[] {
  return Array.from({ length: SPECTRUM_BINS }, (_, k) => {
    let re = 0;
    let im = 0;
    samples.forEach((x, n) => {
      re += x * Math.cos((2 * Math.PI * k * n) / FFT_SIZE);
      im -= x * Math.sin((2 * Math.PI * k * n) / FFT_SIZE);
    });
    return re ** 2 + im ** 2;
  });
}

const FLAT_WINDOW = doubles(FFT_SIZE, () => 1);

function power(samples: Float32Array): number[] {
  const out = doubles(SPECTRUM_BINS);
  new RealFft(FLAT_WINDOW).powerSpectrum(samples, 0, out);
  return out;
}

function impulse(at: number): Float32Array {
  const samples = new Float32Array(FFT_SIZE);
  samples[at] = 1;
  return samples;
}

test.each<[string, Float32Array]>([
  ['noise', whiteNoise(FFT_SIZE, 1)],
  ['a tone between two bins', sine(1234.5, FFT_SIZE)],
  ['a constant', new Float32Array(FFT_SIZE).fill(1)],
  ['the highest frequency', Float32Array.from({ length: FFT_SIZE }, (_, n) => (n % 2 ? -1 : 1))],
  ['an impulse at an odd place', impulse(133)],
])('equals the definition: %s', (_, samples) => {
  const expected = naivePower(samples);
  const loudest = Math.max(...expected);
  expect(furthest(power(samples), expected)).toBeLessThan(1e-10 * loudest);
});

test('multiplies the samples by its window, from where it is told on', () => {
  const window = doubles(FFT_SIZE, (n) => n / FFT_SIZE);
  const samples = whiteNoise(FFT_SIZE + 7, 1);
  const out = doubles(SPECTRUM_BINS);
  new RealFft(window).powerSpectrum(samples, 7, out);
  const expected = naivePower(Float32Array.from(window, (factor, n) => factor * samples[7 + n]!));
  expect(furthest(out, expected)).toBeLessThan(1e-6 * Math.max(...expected));
});

const FLAT = new Float64Array(SPECTRUM_BINS).fill(1);

test('gives every impulse a flat spectrum, wherever it stands', () => {
  for (let at = 0; at < FFT_SIZE; at++) {
    expect(furthest(power(impulse(at)), FLAT)).toBeLessThan(1e-12);
  }
});

test('allocates nothing per call', () => {
  const fft = new RealFft(FLAT_WINDOW);
  const samples = new Float32Array(FFT_SIZE);
  const out = doubles(SPECTRUM_BINS);
  expect(bytesPerCall(() => fft.powerSpectrum(samples, 0, out))).toBeLessThan(BOXED_NUMBER_BYTES);
});
