// Measures that several tests of the scenes take.

import { SAMPLE_RATE } from '../../../src/signal/units.ts';

export function rms(samples: Float64Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}

export function decibels(ratio: number): number {
  return 20 * Math.log10(ratio);
}

/** A sine of amplitude 1. */
export function tone(hertz: number, seconds: number): Float64Array {
  return Float64Array.from({ length: seconds * SAMPLE_RATE }, (_, i) =>
    Math.sin((2 * Math.PI * hertz * i) / SAMPLE_RATE),
  );
}

/** The middle half, where filters have settled. */
export function middle(samples: Float64Array): Float64Array {
  return samples.slice(samples.length / 4, (3 * samples.length) / 4);
}
