// A weight of a graph: what part of the checkpoint it is made of, how it is written down, and which
// constants of the graph its bytes become.

import type { Matrix } from './matrix.ts';
import { elementBytes, type OnnxType } from './onnx.ts';
import { BLOCK, type ScaleChoice } from './quantize.ts';

/**
 * How a matrix [rows, columns] is written down.
 *
 * | encoding | parts |
 * |---|---|
 * | `rows` | [rows, columns] as it is |
 * | `columns` | [columns, rows]: transposed, as MatMul takes it |
 * | `blocks` | MatMulNBits: quants [rows, blocks, BLOCK·bits/8], scales float16 [rows, blocks] |
 * | `int8-rows` | int8 [rows, columns], scale float32 [rows] |
 * | `int8-columns` | the same transposed: int8 [columns, rows], scale float32 [rows] |
 */
export type Encoding =
  | { readonly as: 'rows' | 'columns'; readonly type: 'float32' | 'float16' }
  | { readonly as: 'blocks'; readonly bits: 4 | 8; readonly choice: ScaleChoice }
  | { readonly as: 'int8-rows' | 'int8-columns' };

/** A run of bytes in a shard that a graph sees as a constant. */
export interface WeightPart {
  /** Unique in the model: the weight's name and what this part is. */
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
}

/** Columns [firstColumn, firstColumn + columns) of a matrix, written down. */
export interface Weight {
  readonly name: string;
  readonly matrix: Matrix;
  readonly firstColumn: number;
  readonly columns: number;
  readonly encoding: Encoding;
  readonly parts: readonly WeightPart[];
}

/** A weight over all columns of a matrix, or a range of them. */
export function weight(
  name: string,
  matrix: Matrix,
  encoding: Encoding,
  range: { firstColumn: number; columns: number } = { firstColumn: 0, columns: matrix.columns },
): Weight {
  return { name, matrix, ...range, encoding, parts: partsOf(name, matrix.rows, range.columns, encoding) };
}

function partsOf(name: string, rows: number, columns: number, encoding: Encoding): WeightPart[] {
  switch (encoding.as) {
    case 'rows':
      return [{ name, type: encoding.type, dims: [rows, columns] }];
    case 'columns':
      return [{ name, type: encoding.type, dims: [columns, rows] }];
    case 'blocks': {
      const blocks = Math.ceil(columns / BLOCK);
      return [
        { name: `${name}/quants`, type: 'uint8', dims: [rows, blocks, (BLOCK * encoding.bits) / 8] },
        { name: `${name}/scales`, type: 'float16', dims: [rows, blocks] },
      ];
    }
    case 'int8-rows':
    case 'int8-columns': {
      const dims = encoding.as === 'int8-rows' ? [rows, columns] : [columns, rows];
      return [
        { name: `${name}/quants`, type: 'int8', dims },
        { name: `${name}/scales`, type: 'float32', dims: [rows] },
      ];
    }
  }
}

export function partBytes({ type, dims }: WeightPart): number {
  return dims.reduce((product, size) => product * size, elementBytes(type));
}

export function weightBytes({ parts }: Pick<Weight, 'parts'>): number {
  return parts.reduce((sum, part) => sum + partBytes(part), 0);
}
