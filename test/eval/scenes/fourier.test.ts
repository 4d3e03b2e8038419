import { expect, test } from 'vitest';
import { convolve, signalOf, spectrumOf } from '../../../src/eval/scenes/fourier.ts';
import { SeededRandom } from '../../../src/eval/seeded-random.ts';

test('a signal comes back from its spectrum', () => {
  const random = new SeededRandom('fourier');
  const signal = Float64Array.from({ length: 256 }, () => random.normal());
  signalOf(spectrumOf(signal, 256)).forEach((x, i) => expect(x).toBeCloseTo(signal[i]!, 12));
});

test('convolution is what the definition says', () => {
  const [a, b] = [Float64Array.of(1, -2, 3, 0.5), Float64Array.of(0.25, 0, -1)];
  const expected = [0.25, -0.5, -0.25, 2.125, -3, -0.5];
  expect(convolve(a, b)).toHaveLength(6);
  convolve(a, b).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 12));
});
