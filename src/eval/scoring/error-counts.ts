// Errors, counted and pooled. A rate over many clips is errors over reference units, both summed, so that a
// long clip weighs more than a short one.

import type { Step } from './align.ts';

export interface ErrorCounts {
  readonly matches: number;
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
}

export const NO_ERRORS: ErrorCounts = { matches: 0, substitutions: 0, deletions: 0, insertions: 0 };

export function countSteps(steps: readonly Step[]): ErrorCounts {
  const of = (kind: Step['kind']): number => steps.filter((step) => step.kind === kind).length;
  return {
    matches: of('match'),
    substitutions: of('substitution'),
    deletions: of('deletion'),
    insertions: of('insertion'),
  };
}

export function sumCounts(list: readonly ErrorCounts[]): ErrorCounts {
  return list.reduce(
    (sum, counts) => ({
      matches: sum.matches + counts.matches,
      substitutions: sum.substitutions + counts.substitutions,
      deletions: sum.deletions + counts.deletions,
      insertions: sum.insertions + counts.insertions,
    }),
    NO_ERRORS,
  );
}

export function errorsIn({ substitutions, deletions, insertions }: ErrorCounts): number {
  return substitutions + deletions + insertions;
}

export function referenceUnits({ matches, substitutions, deletions }: ErrorCounts): number {
  return matches + substitutions + deletions;
}

/** Errors per reference unit; above 1 where more was invented than was said. NaN where nothing was to be said. */
export function errorRate(counts: ErrorCounts): number {
  return errorsIn(counts) / (referenceUnits(counts) || NaN);
}
