// An old telephone line: 300–3400 Hz, 8000 samples a second, µ-law.
//
// Source of the code: Recommendation ITU-T G.711 (11/1988), table 2 (µ-law): eight segments, each twice
// as coarse as the one before, sixteen steps in each.

import { butterworth, doubleRate, halveRate } from './filters.ts';

export const LINE_RATE = 8_000;
const LOW_HZ = 300;
const HIGH_HZ = 3_400;
/** 24 dB per octave on either side, as the filters of a line card roughly have. */
const ORDER = 4;

/** What the line lets through of speech at 16 kHz, at 8 kHz and not yet coded. */
export function intoLine(samples: Float64Array): Float64Array {
  const low = butterworth(halveRate(samples), LINE_RATE, 'high-pass', LOW_HZ, ORDER);
  return butterworth(low, LINE_RATE, 'low-pass', HIGH_HZ, ORDER);
}

/** What comes out at the other end: coded and decoded, back at 16 kHz. */
export function outOfLine(samples: Float64Array, length: number): Float64Array {
  return doubleRate(
    samples.map((sample) => fromMuLaw(toMuLaw(sample))),
    length,
  );
}

/** The code works on 14 bits; from 8159 on it is overloaded. */
const LARGEST = 8158;
const BIAS = 33;

/** A sample in [−1, 1] as its 8-bit code, bits inverted as they go over the line. */
export function toMuLaw(sample: number): number {
  const magnitude = Math.min(LARGEST, Math.floor(Math.abs(sample) * 8192)) + BIAS;
  const segment = Math.floor(Math.log2(magnitude)) - 5;
  const step = (magnitude >> (segment + 1)) & 15;
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | step) & 0xff;
}

/** The sample that a code stands for. */
export function fromMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const segment = (bits >> 4) & 7;
  const magnitude = ((2 * (bits & 15) + BIAS) << segment) - BIAS;
  return (bits & 0x80 ? -magnitude : magnitude) / 8192;
}
