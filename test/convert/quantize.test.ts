import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BLOCK,
  decodeStored,
  halfBits,
  halfValue,
  type Rows,
  storeTransposed,
} from '../../src/convert/quantize.ts';
import { encodeStored } from '../fixtures/seeded-weights.ts';
import { throughBlocks, throughInt8 } from '../fixtures/stored-weights.ts';

function asRows(data: Float32Array, columns: number): Rows {
  return { data, count: data.length / columns, stride: columns, firstColumn: 0, columns };
}

/** Weights of any size that half-precision scales reach. */
const weights = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 70 }),
    fc.double({ min: -6, max: 3, noNaN: true }),
  )
  .chain(([rows, columns, exponent]) =>
    fc
      .array(fc.double({ min: -1, max: 1, noNaN: true }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      })
      .map((values) =>
        asRows(
          Float32Array.from(values, (x) => x * 10 ** exponent),
          columns,
        ),
      ),
  );

/** Every block of every row, with what came back of it. */
function* blocks(rows: Rows, back: Float32Array): Generator<[before: Float32Array, after: Float32Array]> {
  for (let row = 0; row < rows.count; row++) {
    for (let start = 0; start < rows.columns; start += BLOCK) {
      const range = [
        row * rows.columns + start,
        row * rows.columns + Math.min(start + BLOCK, rows.columns),
      ] as const;
      yield [rows.data.subarray(...range), back.subarray(...range)];
    }
  }
}

/** No scale is smaller than the smallest normal float16. */
const SMALLEST_STEP = 2 ** -14;

describe('blocks', () => {
  test('of 8 bits come back within half a step of 1/127 of their largest weight', () => {
    fc.assert(
      fc.property(weights, (rows) => {
        for (const [before, after] of blocks(rows, throughBlocks(rows, 8))) {
          const largest = Math.max(...before.map(Math.abs));
          // A scale is rounded to half precision, hence a step up to 2⁻¹⁰ larger.
          const step = Math.max((largest / 127) * (1 + 2 ** -10), SMALLEST_STEP);
          before.forEach((weight, i) =>
            expect(Math.abs(weight - after[i]!)).toBeLessThanOrEqual(step * 0.5001),
          );
        }
      }),
    );
  });

  test.each(['largest', 'search'] as const)(
    'of 4 bits (%s) come back within a step of 1/8 of their largest weight',
    (choice) => {
      fc.assert(
        fc.property(weights, (rows) => {
          for (const [before, after] of blocks(rows, throughBlocks(rows, 4, choice))) {
            const largest = Math.max(...before.map(Math.abs));
            const step = Math.max((largest / 6.8) * (1 + 2 ** -10), SMALLEST_STEP);
            before.forEach((weight, i) =>
              expect(Math.abs(weight - after[i]!)).toBeLessThanOrEqual(step * 1.0001),
            );
          }
        }),
      );
    },
  );

  test('of 4 bits are within half a step wherever they do not clip', () => {
    fc.assert(
      fc.property(weights, (rows) => {
        for (const [before, after] of blocks(rows, throughBlocks(rows, 4))) {
          const extreme = before.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
          const step = Math.max((Math.abs(extreme) / 8) * (1 + 2 ** -10), SMALLEST_STEP);
          before.forEach((weight, i) => {
            const clips = weight * Math.sign(extreme) < -7.4 * step;
            if (!clips) expect(Math.abs(weight - after[i]!)).toBeLessThanOrEqual(step * 0.5001);
          });
        }
      }),
    );
  });

  test('a searched scale is never worse than the plain one', () => {
    fc.assert(
      fc.property(weights, (rows) => {
        const error = (back: Float32Array): number =>
          back.reduce((sum, x, i) => sum + (x - rows.data[i]!) ** 2, 0);
        expect(error(throughBlocks(rows, 4, 'search'))).toBeLessThanOrEqual(
          error(throughBlocks(rows, 4)) * (1 + 1e-6),
        );
      }),
    );
  });

  test('of zeros come back as zeros', () => {
    const zeros = asRows(new Float32Array(70), 35);
    expect(throughBlocks(zeros, 4)).toEqual(zeros.data);
    expect(throughBlocks(zeros, 8)).toEqual(zeros.data);
    expect(throughInt8(zeros)).toEqual(zeros.data);
  });
});

test('int8 rows come back within half a step of 1/127 of their largest weight', () => {
  fc.assert(
    fc.property(weights, (rows) => {
      const back = throughInt8(rows);
      for (let row = 0; row < rows.count; row++) {
        const range = [row * rows.columns, (row + 1) * rows.columns] as const;
        const before = rows.data.subarray(...range);
        const step = Math.max(Math.max(...before.map(Math.abs)) / 127, 1e-29);
        back
          .subarray(...range)
          .forEach((x, i) => expect(Math.abs(x - before[i]!)).toBeLessThanOrEqual(step * 0.5001));
      }
    }),
  );
});

describe('half precision', () => {
  test('rounds every number that it can hold to itself', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfValue(bits);
      if (!Number.isNaN(value) && halfBits(value) !== bits) expect(halfBits(value)).toBe(bits);
    }
  });

  test('rounds to the nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65519, max: 65519 }), (value) => {
        const bits = halfBits(value);
        const error = Math.abs(halfValue(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          const other = Math.abs(halfValue(neighbour & 0xffff) - value);
          if (Number.isNaN(other)) continue;
          expect(error).toBeLessThanOrEqual(other);
          if (error === other && error > 0) expect(bits % 2).toBe(0);
        }
      }),
    );
    expect(halfBits(65520)).toBe(0x7c00);
    expect(halfBits(-65520)).toBe(0xfc00);
  });
});

describe('stored numbers', () => {
  const values = Float32Array.of(0, -1.5, 3.140625, 65280, 2 ** -14);

  test.each(['BF16', 'F16', 'F32'] as const)('of %s are read at any offset in a file', (type) => {
    const bytes = encodeStored(values, type);
    for (const shift of [0, 1, 2, 3]) {
      const file = new Uint8Array(bytes.length + shift);
      file.set(bytes, shift);
      const target = new Float32Array(values.length + 1);
      expect(decodeStored(type, file.subarray(shift), target, 1)).toBe(true);
      expect(target.subarray(1)).toEqual(values);
    }
  });

  test.each(['BF16', 'F16', 'F32'] as const)('of %s that are no numbers are noticed', (type) => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const bytes = encodeStored(Float32Array.of(1, bad, 2), type);
      expect(decodeStored(type, bytes, new Float32Array(3), 0)).toBe(false);
    }
  });
});

test('transposing in tiles puts every number in its place', () => {
  const [count, columns, height] = [45, 70, 50];
  const data = Float32Array.from({ length: count * columns }, (_, i) => i);
  const target = new Float32Array(columns * height);
  storeTransposed(asRows(data, columns), target, height, 3, (value) => value);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < columns; column++) {
      expect(target[column * height + 3 + row]).toBe(data[row * columns + column]);
    }
  }
});
