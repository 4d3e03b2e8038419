// Where to cut a stretch of sound that has no pause: at its quietest fifth of a second, away from the ends.

import { HOP_SAMPLES, SAMPLE_RATE } from '../signal/units.ts';

const QUIET_SAMPLES = SAMPLE_RATE / 5;
/** The cut stays in the middle half, so that both parts get shorter. */
const MARGIN = 1 / 4;

/** Position of the cut, in samples from the start of `samples`, on a frame's edge. */
export function quietestSample(samples: Float32Array): number {
  const from = Math.floor((samples.length * MARGIN) / HOP_SAMPLES) * HOP_SAMPLES;
  const to = Math.floor(samples.length * (1 - MARGIN));
  let best = from;
  let bestEnergy = Infinity;
  for (let start = from; start + QUIET_SAMPLES <= to; start += HOP_SAMPLES) {
    let energy = 0;
    for (const sample of samples.subarray(start, start + QUIET_SAMPLES)) energy += sample * sample;
    if (energy < bestEnergy) [best, bestEnergy] = [start + QUIET_SAMPLES / 2, energy];
  }
  return best;
}
