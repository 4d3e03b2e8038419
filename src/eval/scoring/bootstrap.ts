// How sure a rate is: clips are drawn again and again, with replacement, and the rate taken each time
// (Efron's bootstrap, percentile interval; for error rates of speech see Bisani and Ney, ICASSP 2004).
//
// Whole clips are drawn, because the errors within one hang together.

import { SeededRandom } from '../seeded-random.ts';
import { type ErrorCounts, errorsIn, referenceUnits } from './error-counts.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const DRAWS = 2000;
/** 95 %: a fortieth of the draws lies on either side. */
const TAIL = 0.025;

/** Where the pooled rate of such clips lies with 95 % confidence. NaN where there is nothing to draw from. */
export function rateInterval(clips: readonly ErrorCounts[], seed: string): Interval {
  return percentiles(clips.length, seed, (drawn) => pooledRate(clips, drawn));
}

/**
 * Where the difference of two rates over the same clips lies (`b` − `a`), with 95 % confidence: each draw takes
 * the same clips of both, so that what is hard about a clip cancels out. Zero outside: the difference is real.
 */
export function differenceInterval(
  a: readonly ErrorCounts[],
  b: readonly ErrorCounts[],
  seed: string,
): Interval {
  return percentiles(
    Math.min(a.length, b.length),
    seed,
    (drawn) => pooledRate(b, drawn) - pooledRate(a, drawn),
  );
}

function percentiles(count: number, seed: string, rateOf: (drawn: Uint32Array) => number): Interval {
  if (count === 0) return { low: NaN, high: NaN };
  const random = new SeededRandom(seed);
  const drawn = new Uint32Array(count);
  const rates = Float64Array.from({ length: DRAWS }, () => {
    for (let i = 0; i < count; i++) drawn[i] = random.below(count);
    return rateOf(drawn);
  });
  const sorted = rates.filter((rate) => !Number.isNaN(rate)).sort();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
  return { low: at(TAIL), high: at(1 - TAIL) };
}

function pooledRate(clips: readonly ErrorCounts[], drawn: Uint32Array): number {
  let errors = 0;
  let units = 0;
  for (const i of drawn) {
    const clip = clips[i];
    if (clip === undefined) continue;
    errors += errorsIn(clip);
    units += referenceUnits(clip);
  }
  return errors / (units || NaN);
}

/** A rate with its interval. */
export interface MeasuredRate extends Interval {
  readonly rate: number;
  readonly clips: number;
  readonly units: number;
}

export function measureRate(clips: readonly ErrorCounts[], seed: string): MeasuredRate {
  const drawn = Uint32Array.from(clips.keys());
  const units = clips.reduce((sum, clip) => sum + referenceUnits(clip), 0);
  return { rate: pooledRate(clips, drawn), ...rateInterval(clips, seed), clips: clips.length, units };
}
