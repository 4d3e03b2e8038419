// Noise floors, made from a seed: white (a poor preamplifier), room (1/f, as air conditioning and distant
// traffic sum up to), hiss (an old line, above 1 kHz).

import type { SeededRandom } from '../seeded-random.ts';
import { butterworth } from './filters.ts';
import { powerOfTwo, signalOf, spectrumOf } from './fourier.ts';

export const NOISES = ['white', 'room', 'hiss'] as const;
export type Noise = (typeof NOISES)[number];

/** `count` samples at an RMS of 1. */
export function makeNoise(
  kind: Noise,
  count: number,
  sampleRate: number,
  random: SeededRandom,
): Float64Array {
  const white = Float64Array.from({ length: count }, () => random.normal());
  if (kind === 'room') return atUnitRms(pink(white, sampleRate));
  return atUnitRms(kind === 'hiss' ? butterworth(white, sampleRate, 'high-pass', 1_000, 2) : white);
}

/** Below the range of hearing the slope ends. */
const LOWEST_HZ = 25;

/** Power falls as 1/f: −3 dB per octave. */
function pink(white: Float64Array, sampleRate: number): Float64Array {
  const size = powerOfTwo(white.length);
  const { re, im } = spectrumOf(white, size);
  for (let k = 0; k < size; k++) {
    const hertz = (Math.min(k, size - k) * sampleRate) / size;
    const weight = hertz < LOWEST_HZ ? 0 : Math.sqrt(LOWEST_HZ / hertz);
    re[k] = (re[k] ?? 0) * weight;
    im[k] = (im[k] ?? 0) * weight;
  }
  return signalOf({ re, im }).slice(0, white.length);
}

/** The same sound at an RMS of 1. Silence stays silence. */
export function atUnitRms(samples: Float64Array): Float64Array {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  const rms = Math.sqrt(energy / samples.length);
  return rms > 0 ? samples.map((sample) => sample / rms) : samples;
}
