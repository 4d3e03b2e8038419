// Every engine against the first one, over the clips that both have read: clip by clip, so that what is hard
// about a clip cancels out.

import { type Interval, differenceInterval } from '../scoring/bootstrap.ts';
import type { Metric } from '../scoring/choices.ts';
import { errorRate, sumCounts } from '../scoring/error-counts.ts';
import { type EngineSummary, type Reading, type Summary, inOrder } from './summary.ts';

/** Rate of the engine less the rate of the first, with 95 % interval. Zero outside of it: the difference is real. */
export interface Difference extends Interval {
  readonly rate: number;
  readonly clips: number;
}

export interface DifferenceRow {
  /** `all`, a scene or a language. */
  readonly group: string;
  /** One per engine but the first; undefined where there is nothing to compare. */
  readonly differences: readonly (Difference | undefined)[];
}

const SEED = 'differences';

/** Nothing where there is only one engine, or nobody speaks. */
export function differenceRows({ engines }: Summary, metric: Metric): DifferenceRow[] {
  const [first, ...others] = engines;
  const spoken = (first?.readings ?? []).filter(({ clip }) => clip.text !== '');
  if (spoken.length === 0 || others.length === 0) return [];
  const scenes = inOrder(spoken.map(({ clip }) => clip.scene));
  const languages = inOrder(spoken.map(({ clip }) => clip.language));
  const row = (group: string, isIn: (reading: Reading) => boolean): DifferenceRow => ({
    group,
    differences: others.map((other) => difference(spoken.filter(isIn), other, metric)),
  });
  return [
    row('all', () => true),
    ...scenes.map((scene) => row(scene, ({ clip }) => clip.scene === scene)),
    ...languages.map((language) => row(language, ({ clip }) => clip.language === language)),
  ];
}

function difference(
  readings: readonly Reading[],
  other: EngineSummary,
  metric: Metric,
): Difference | undefined {
  const byClip = new Map(other.readings.map((reading) => [reading.clip.id, reading]));
  const pairs = readings.flatMap((reading) => {
    const match = byClip.get(reading.clip.id);
    return match ? [[reading.score.counts[metric], match.score.counts[metric]] as const] : [];
  });
  if (pairs.length === 0) return undefined;
  const [before, after] = [pairs.map(([first]) => first), pairs.map(([, second]) => second)];
  const rate = errorRate(sumCounts(after)) - errorRate(sumCounts(before));
  return { rate, ...differenceInterval(before, after, SEED), clips: pairs.length };
}
