import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cycleAtEnd, withoutCycle } from '../../src/model/loops.ts';

const times = (ids: readonly number[], n: number): number[] => Array.from({ length: n }, () => ids).flat();

test('finds a cycle of one to eight ids once it has gone round often enough', () => {
  for (let n = 1; n <= 8; n++) {
    const round = Array.from({ length: n }, (_, i) => 100 + i);
    const rounds = Math.max(4, Math.ceil(12 / n));
    expect(cycleAtEnd([1, 2, 3, ...times(round, rounds)])).toBe(n);
    expect(cycleAtEnd([1, 2, 3, ...times(round, rounds - 1)])).toBe(0);
  }
});

test('lets people repeat themselves', () => {
  expect(cycleAtEnd(times([7], 11))).toBe(0); // ha ha ha …
  expect(cycleAtEnd(times([7, 8], 5))).toBe(0); // no, no, no, no, no
  expect(cycleAtEnd([1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe(0);
});

test('says a cycle once and keeps what came before it', () => {
  expect(withoutCycle([1, 2, 3, ...times([7, 8, 9], 6)])).toEqual([1, 2, 3, 7, 8, 9]);
  expect(withoutCycle([1, 2, 3])).toEqual([1, 2, 3]);
});

test('finds nothing in ids that never come twice', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.nat(60_000), { maxLength: 60 }), (ids) => cycleAtEnd(ids) === 0));
});

test('what is left is a prefix and ends in no cycle', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { maxLength: 20 }),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 0, max: 14 }),
      (head, round, rounds) => {
        const ids = [...head, ...times(round, rounds)];
        const kept = withoutCycle(ids);
        expect(ids.slice(0, kept.length)).toEqual(kept);
        if (cycleAtEnd(ids) > 0) expect(kept.length).toBeLessThan(ids.length);
      },
    ),
  );
});
