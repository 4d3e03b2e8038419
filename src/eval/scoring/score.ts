// One clip's reading against what was said, in all three units.

import { type Step, align } from './align.ts';
import { type ErrorCounts, countSteps } from './error-counts.ts';
import { type Metric, METRICS, type Script } from './choices.ts';
import { normalizeText } from './normalize.ts';
import { unitsOf } from './units.ts';

export interface ClipScore {
  readonly reference: string;
  readonly hypothesis: string;
  readonly counts: Readonly<Record<Metric, ErrorCounts>>;
  /** In mixed units: what people want to look at. */
  readonly steps: readonly Step[];
}

/** Both texts as they came; they are normalized here. */
export function scoreClip(said: string, read: string, script: Script): ClipScore {
  const reference = normalizeText(said, script);
  const hypothesis = normalizeText(read, script);
  const aligned = (metric: Metric): Step[] => align(unitsOf(reference, metric), unitsOf(hypothesis, metric));
  const steps = aligned('mixed');
  const counted = METRICS.map((metric) => [metric, countSteps(metric === 'mixed' ? steps : aligned(metric))]);
  return {
    reference,
    hypothesis,
    counts: Object.fromEntries(counted) as Record<Metric, ErrorCounts>,
    steps,
  };
}
