import fc from 'fast-check';
import { expect, test } from 'vitest';
import { align } from '../../../src/eval/scoring/align.ts';
import {
  countSteps,
  errorRate,
  errorsIn,
  referenceUnits,
  sumCounts,
} from '../../../src/eval/scoring/error-counts.ts';
import { showAlignment } from '../../../src/eval/scoring/show-alignment.ts';

/** Few different units, so that many alignments cost the same. */
const units = fc.array(fc.constantFrom('a', 'b', '好'), { maxLength: 12 });
const distance = (a: readonly string[], b: readonly string[]): number => errorsIn(countSteps(align(a, b)));

test('the steps spell both texts', () => {
  fc.assert(
    fc.property(units, units, (reference, hypothesis) => {
      const steps = align(reference, hypothesis);
      expect(steps.flatMap((step) => ('reference' in step ? [step.reference] : []))).toEqual(reference);
      expect(steps.flatMap((step) => ('hypothesis' in step ? [step.hypothesis] : []))).toEqual(hypothesis);
      for (const step of steps) {
        if (step.kind === 'match') expect(step.reference).toBe(step.hypothesis);
        if (step.kind === 'substitution') expect(step.reference).not.toBe(step.hypothesis);
      }
    }),
  );
});

test('the distance is a metric', () => {
  fc.assert(
    fc.property(units, units, units, (a, b, c) => {
      expect(distance(a, a)).toBe(0);
      expect(distance(a, b)).toBe(distance(b, a));
      expect(distance(a, b) === 0).toBe(a.join() === b.join());
      expect(distance(a, c)).toBeLessThanOrEqual(distance(a, b) + distance(b, c));
    }),
  );
});

test('no alignment is cheaper', () => {
  /** The definition, slowly. */
  const least = (a: readonly string[], b: readonly string[]): number => {
    if (a.length === 0 || b.length === 0) return a.length + b.length;
    const [[x, ...restA], [y, ...restB]] = [a, b];
    const edited = 1 + Math.min(least(restA, b), least(a, restB));
    return Math.min(edited, least(restA, restB) + (x === y ? 0 : 1));
  };
  const short = fc.array(fc.constantFrom('a', 'b'), { maxLength: 6 });
  fc.assert(fc.property(short, short, (a, b) => distance(a, b) === least(a, b)));
});

test('counts add up, also over clips', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(units, units), { maxLength: 5 }), (pairs) => {
      const counts = pairs.map(([reference, hypothesis]) => countSteps(align(reference, hypothesis)));
      const sum = sumCounts(counts);
      expect(referenceUnits(sum)).toBe(pairs.reduce((total, [reference]) => total + reference.length, 0));
      expect(sum.matches + sum.substitutions + sum.insertions).toBe(
        pairs.reduce((total, [, hypothesis]) => total + hypothesis.length, 0),
      );
      expect(errorsIn(sum)).toBe(counts.reduce((total, one) => total + errorsIn(one), 0));
    }),
  );
});

test('there is no rate where nothing was to be said', () => {
  expect(errorRate(countSteps(align([], ['you'])))).toBeNaN();
  expect(errorRate(countSteps(align(['a', 'b'], ['c', 'd', 'e'])))).toBe(1.5);
});

test('an alignment prints unit under unit, wide characters too', () => {
  const steps = align(['turn', 'on', 'the', 'light'], ['turn', 'off', 'the', 'light', 'now']);
  expect(showAlignment(steps)).toBe('said  turn ON  the light ***\nread  turn OFF the light NOW');
  expect(showAlignment(align(['明', '天', '早', '上'], ['明', '早', '上', 'ok']))).toBe(
    'said  明 天 早 上 **\nread  明 ** 早 上 OK',
  );
});
