// One matrix product x·Wᵀ in each of the formats that a profile can ask for.

import { assert } from '../errors.ts';
import type { Graph, Value } from './graph.ts';
import type { StoredMatrix } from './matrix.ts';
import { cast, elementwise, mul, reduceLast, unary } from './ops.ts';
import type { GraphSetting, LinearFormat } from './profiles.ts';
import { BLOCK, INT8_LEVELS } from './quantize.ts';
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
  const [numbers, scales] = g.weight(weight(name, matrix, encodingOf(format, setting)));
  assert(numbers !== undefined, 'a weight has parts');
  const result = { type: x.type, shape: [...x.shape.slice(0, -1), matrix.rows] };
  switch (format.kind) {
    case 'plain':
      return g.node('MatMul', [x, cast(g, numbers, x.type)], result);
    case 'blocks':
      assert(scales !== undefined, 'blocks have scales');
      return blockProduct(g, x, { quants: numbers, scales, bits: format.bits }, setting.accuracyLevel);
    case 'int8':
      assert(scales !== undefined, 'int8 columns have scales');
      return int8Product(g, x, numbers, scales);
  }
}

/** A matrix in blocks: quants [N, blocks, ..], scales float16 [N, blocks]. */
export interface BlockMatrix {
  readonly quants: Value;
  readonly scales: Value;
  readonly bits: 4 | 8;
}

/** x [.., K] → [.., N]; the last block of a row may reach past K. */
export function blockProduct(
  g: Graph,
  x: Value,
  { quants, scales, bits }: BlockMatrix,
  accuracyLevel: number,
): Value {
  const columns = Number(x.shape.at(-1));
  const rows = Number(quants.shape[0]);
  return g.node(
    'MatMulNBits',
    [x, quants, cast(g, scales, x.type)],
    { type: x.type, shape: [...x.shape.slice(0, -1), rows] },
    {
      domain: 'com.microsoft',
      attributes: {
        K: { int: columns },
        N: { int: rows },
        bits: { int: bits },
        block_size: { int: BLOCK },
        accuracy_level: { int: accuracyLevel },
      },
    },
  );
}

/** Quantised activations are uint8 around this, as the fast integer kernels want them. */
const ACTIVATION_ZERO = 128;

/** x, quantised row by row, times int8 columns. */
function int8Product(g: Graph, x: Value, columns: Value, columnScales: Value): Value {
  const { quants, rowScale } = quantizeRows(g, x);
  const one = g.constant('float32', [1], []);
  const scaled = g.node(
    'MatMulIntegerToFloat',
    [quants, columns, one, columnScales, g.constant('uint8', [ACTIVATION_ZERO], [])],
    { type: 'float32', shape: [...x.shape.slice(0, -1), columns.shape[1] ?? 0] },
    { domain: 'com.microsoft' },
  );
  return mul(g, scaled, rowScale);
}

/** Keeps a row of zeros from being divided by zero. */
const SMALLEST_ROW_SCALE = 1e-20;

/**
 * x [.., K] as uint8, with a scale per row [.., 1]: largest magnitude / 127.
 *
 * One scale for the whole tensor would be cheaper by a few nodes, but the rows of a model like this differ in
 * size by an order of magnitude, and the error of all would be that of the largest (measured, SPEED.md).
 * Made once per x: query, key and value share it.
 */
function quantizeRows(g: Graph, x: Value): { quants: Value; rowScale: Value } {
  const width = Number(x.shape.at(-1));
  const rowScale = g.once(`row scale ${x.name}`, () => {
    const largest = reduceLast(g, 'ReduceMax', unary(g, 'Abs', x), true);
    const scale = elementwise(g, 'Div', largest, g.constant('float32', [INT8_LEVELS], []));
    return elementwise(g, 'Max', scale, g.constant('float32', [SMALLEST_ROW_SCALE], []));
  });
  const quants = g.once(`quantized ${x.name}`, () => {
    const shape = g.node('Shape', [rowScale], { type: 'int64', shape: [rowScale.shape.length] });
    const zeros = g.node('Expand', [g.constant('uint8', [ACTIVATION_ZERO]), shape], {
      type: 'uint8',
      shape: rowScale.shape,
    });
    return g.node(
      'QuantizeLinear',
      [x, rowScale, zeros],
      { type: 'uint8', shape: x.shape },
      { attributes: { axis: { int: -1 }, block_size: { int: width } } },
    );
  });
  return { quants, rowScale };
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
      return { as: 'int8-columns' };
  }
}
