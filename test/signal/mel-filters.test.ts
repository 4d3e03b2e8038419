import { describe, expect, test } from 'vitest';
import { applyMelFilters, hzToMel, melFilters, melToHz } from '../../src/signal/mel-filters.ts';
import { furthest } from './signals.ts';

const BINS = 201;

/** The filterbank as a matrix [bands][bins], asked for one bin at a time. */
function matrix(bands: number): number[][] {
  const filters = melFilters(bands, 400, 16_000);
  const rows = Array.from({ length: bands }, () => new Array<number>(BINS).fill(0));
  for (let k = 0; k < BINS; k++) {
    const power = new Array<number>(BINS).fill(0);
    power[k] = 1;
    const mel = new Array<number>(bands).fill(0);
    applyMelFilters(filters, power, mel);
    rows.forEach((row, b) => (row[k] = mel[b]!));
  }
  return rows;
}

/** Triangles straight from their definition. */
function triangles(bands: number): number[][] {
  const h = Array.from({ length: bands + 2 }, (_, i) => melToHz((hzToMel(8000) * i) / (bands + 1)));
  return Array.from({ length: bands }, (_, b) =>
    Array.from({ length: BINS }, (_, k) => {
      const up = (40 * k - h[b]!) / (h[b + 1]! - h[b]!);
      const down = (h[b + 2]! - 40 * k) / (h[b + 2]! - h[b + 1]!);
      return (Math.max(0, Math.min(up, down)) * 2) / (h[b + 2]! - h[b]!);
    }),
  );
}

describe('the 128-band filterbank has the published values', () => {
  const bank = matrix(128);
  const weights = bank.flat().filter((w) => w !== 0);

  test('394 weights, none negative, no band empty', () => {
    expect(weights.length).toBe(394);
    expect(Math.min(...weights)).toBeGreaterThan(0);
    expect(bank.every((row) => row.some((w) => w > 0))).toBe(true);
  });

  test('their sum and the largest of them', () => {
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(3.19098553, 8);
    expect(bank[11]![7]).toBeCloseTo(0.0416817493, 9);
    expect(Math.max(...weights)).toBe(bank[11]![7]);
  });

  test('single weights, low, middle and high', () => {
    expect(bank[0]!.map((w, k) => [k, w]).filter(([, w]) => w !== 0)).toEqual([
      [1, expect.closeTo(0.01237399, 8)],
    ]);
    expect(bank[10]!.slice(6, 8)).toEqual([expect.closeTo(0.01128918, 8), expect.closeTo(0.0010848, 7)]);
    expect(bank[64]!.slice(42, 44)).toEqual([expect.closeTo(0.00674968, 8), expect.closeTo(0.01809152, 8)]);
    expect(bank[127]!.slice(190, 193)).toEqual([
      0,
      expect.closeTo(0.0004757, 7),
      expect.closeTo(0.00161717, 8),
    ]);
  });

  test('nothing at 0 Hz and at 8 kHz', () => {
    expect(bank.map((row) => row[0])).toEqual(new Array(128).fill(0));
    expect(bank.map((row) => row[200])).toEqual(new Array(128).fill(0));
  });
});

test.each([80, 128, 64, 40])('%i bands equal the triangles of the definition', (bands) => {
  expect(furthest(matrix(bands).flat(), triangles(bands).flat())).toBeLessThan(1e-14);
});

test('the scale is linear below 1 kHz and its inverse leads back', () => {
  expect(hzToMel(500)).toBeCloseTo(7.5, 12);
  expect(hzToMel(8000)).toBeCloseTo(45.245640471924965, 12);
  for (const hz of [0, 40, 999, 1000, 1001, 4321, 8000]) expect(melToHz(hzToMel(hz))).toBeCloseTo(hz, 9);
});
