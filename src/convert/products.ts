// One matrix product x·Wᵀ in each of the formats that a profile can ask for.

import type { Graph, Value } from './graph.ts';
import type { StoredMatrix } from './matrix.ts';
import { cast } from './ops.ts';
import type { GraphSetting, LinearFormat } from './profiles.ts';
import { BLOCK } from './quantize.ts';
import { type Encoding, weight, weightBytes } from './weights.ts';

/** x [.., K] times the rows of `matrix` [N, K] → [.., N]. */
export function product(
  g: Graph,
  setting: GraphSetting,
  x: Value,
  name: string,
  matrix: StoredMatrix,
  format: LinearFormat,
): Value {
  const encoding = encodingOf(format, setting);
  const parts = g.weight(weight(name, matrix, encoding));
  const result = { type: x.type, shape: [...x.shape.slice(0, -1), matrix.rows] };
  const [first, second] = parts;
  if (first === undefined) throw new Error('Bug: a weight has parts');
  switch (format.kind) {
    case 'plain':
      return g.node('MatMul', [x, cast(g, first, x.type)], result);
    case 'blocks':
      return g.node('MatMulNBits', [x, first, second && cast(g, second, x.type)], result, {
        domain: 'com.microsoft',
        attributes: {
          K: { int: matrix.columns },
          N: { int: matrix.rows },
          bits: { int: format.bits },
          block_size: { int: BLOCK },
          accuracy_level: { int: setting.accuracyLevel },
        },
      });
    case 'int8':
      throw new Error('not yet');
  }
}

/** Bytes of the weights that `product` would make. */
export function productBytes(matrix: StoredMatrix, format: LinearFormat, setting: GraphSetting): number {
  return weightBytes(weight('', matrix, encodingOf(format, setting)));
}

function encodingOf(format: LinearFormat, { formats, scaleChoice }: GraphSetting): Encoding {
  switch (format.kind) {
    case 'plain':
      return { as: 'columns', type: formats.plain };
    case 'blocks':
      return { as: 'blocks', bits: format.bits, choice: scaleChoice };
    case 'int8':
      return { as: 'int8-columns', levels: 127 };
  }
}
