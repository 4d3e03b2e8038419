import { expect, test } from 'vitest';
import { differenceInterval, measureRate, rateInterval } from '../../../src/eval/scoring/bootstrap.ts';
import { type ErrorCounts, NO_ERRORS } from '../../../src/eval/scoring/error-counts.ts';
import { SeededRandom } from '../../../src/eval/seeded-random.ts';

/** `clips` clips of ten units, each wrong with probability `rate`. */
function clipsOf(clips: number, rate: number, seed: string): ErrorCounts[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: clips }, () => {
    const wrong = Array.from({ length: 10 }, () => random.uniform() < rate).filter(Boolean).length;
    return { ...NO_ERRORS, matches: 10 - wrong, substitutions: wrong };
  });
}

test('the interval holds the true rate about 19 times in 20', () => {
  const trials = Array.from({ length: 200 }, (_, i) => rateInterval(clipsOf(60, 0.2, `trial ${i}`), 'draws'));
  const held = trials.filter(({ low, high }) => low <= 0.2 && 0.2 <= high).length;
  expect(held / trials.length).toBeGreaterThan(0.89);
  expect(held / trials.length).toBeLessThan(0.99);
});

test('the interval is about as wide as theory says', () => {
  // Binomial: ±1.96·√(p(1 − p)/n) with n = 4000 units.
  const { low, high } = rateInterval(clipsOf(400, 0.2, 'wide'), 'draws');
  expect((high - low) / 2).toBeCloseTo(1.96 * Math.sqrt((0.2 * 0.8) / 4000), 2);
});

test('the same seed draws the same clips', () => {
  const clips = clipsOf(30, 0.3, 'same');
  expect(rateInterval(clips, 'a')).toEqual(rateInterval(clips, 'a'));
  expect(rateInterval(clips, 'a')).not.toEqual(rateInterval(clips, 'b'));
});

test('a difference over the same clips is surer than two rates apart', () => {
  const easy = clipsOf(100, 0.2, 'clips');
  const harder = easy.map((clip) => ({ ...clip, insertions: 1 })); // always one error more
  const { low, high } = differenceInterval(easy, harder, 'draws');
  expect(low).toBeCloseTo(0.1, 10);
  expect(high).toBeCloseTo(0.1, 10);
});

test('no clips, no rate', () => {
  expect(measureRate([], 'seed')).toEqual({ rate: NaN, low: NaN, high: NaN, clips: 0, units: 0 });
});
