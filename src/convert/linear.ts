// y = x·Wᵀ + b, and vectors and convolutions beside it: from a tensor's name to the nodes that compute it in
// the format that the profile asks for.

import type { Checkpoint } from './checkpoint.ts';
import { matrixOf } from './checkpoint.ts';
import type { Graph, Value } from './graph.ts';
import { type ColumnRun, pickColumns, pickRows, sliceRows, stackRows, type StoredMatrix } from './matrix.ts';
import { add, cast, concatColumns } from './ops.ts';
import type { Activation, GraphSetting, LinearFormat } from './profiles.ts';
import { product, productBytes } from './products.ts';
import { BLOCK } from './quantize.ts';
import { type Weight, weight } from './weights.ts';

/** What a graph is built from. */
export interface Source {
  readonly checkpoint: Checkpoint;
  readonly setting: GraphSetting;
}

/** A one-dimensional tensor, as a constant of the type asked for. */
export function vector(
  g: Graph,
  { checkpoint, setting }: Source,
  name: string,
  type: Activation,
  rows?: readonly ColumnRun[],
): Value {
  const matrix = matrixOf(checkpoint, name);
  return plainVector(g, name, rows ? pickRows(matrix, rows) : matrix, type, setting);
}

function plainVector(
  g: Graph,
  name: string,
  matrix: StoredMatrix,
  type: Activation,
  setting: GraphSetting,
): Value {
  return cast(
    g,
    tensor(g, weight(name, matrix, { as: 'rows', type: setting.formats.plain }), [matrix.rows]),
    type,
  );
}

/** A weight with one part, under dims of its own. */
export function tensor(g: Graph, of: Weight, dims: readonly number[]): Value {
  g.weight(of);
  const [part] = of.parts;
  if (part === undefined) throw new Error(`Bug: ${of.name} has no part`);
  return g.part(part, dims);
}

/** Weight and bias of a convolution of kernel 3, in float32. */
export function convWeights(g: Graph, source: Source, name: string): { weight: Value; bias: Value } {
  const matrix = matrixOf(source.checkpoint, `${name}.weight`);
  const stored = weight(`${name}.weight`, matrix, { as: 'rows', type: source.setting.formats.plain });
  return {
    weight: cast(g, tensor(g, stored, [matrix.rows, matrix.columns / 3, 3]), 'float32'),
    bias: vector(g, source, `${name}.bias`, 'float32'),
  };
}

/** A Linear of the checkpoint, or several side by side over the same input. */
export interface LinearSpec {
  /** Tensor names without `.weight`, stacked in this order. */
  readonly names: readonly string[];
  /** Whether there are `.bias` tensors; a name list where only some have one. */
  readonly bias: boolean;
  /** Rearranged outputs of each name, and rearranged inputs of all. */
  readonly rows?: readonly (readonly ColumnRun[] | undefined)[];
  readonly columns?: readonly ColumnRun[];
  /** What the stack is called; the name itself where there is only one. */
  readonly as?: string;
}

/** x [.., K] → [.., N]. The node's address is the last word of the name. */
export function linear(g: Graph, source: Source, x: Value, spec: LinearSpec, format: LinearFormat): Value {
  const name = spec.as ?? spec.names[0] ?? '';
  return g.scope(name.slice(name.lastIndexOf('.') + 1), (g) => {
    const product = multiply(g, source.setting, x, `${name}.weight`, weightMatrix(source, spec), format);
    if (!spec.bias) return product;
    return add(
      g,
      product,
      plainVector(g, `${name}.bias`, biasMatrix(source, spec), x.type as Activation, source.setting),
    );
  });
}

function weightMatrix({ checkpoint }: Source, { names, rows, columns }: LinearSpec): StoredMatrix {
  const parts = names.map((name, i) => arranged(matrixOf(checkpoint, `${name}.weight`), rows?.[i]));
  const stacked = stackRows(...parts);
  return columns ? pickColumns(stacked, columns) : stacked;
}

function biasMatrix({ checkpoint }: Source, { names, rows }: LinearSpec): StoredMatrix {
  return stackRows(...names.map((name, i) => arranged(matrixOf(checkpoint, `${name}.bias`), rows?.[i])));
}

function arranged(matrix: StoredMatrix, runs: readonly ColumnRun[] | undefined): StoredMatrix {
  return runs ? pickRows(matrix, runs) : matrix;
}

/** x·Wᵀ in the format asked for, cut along the outputs where a weight would be too large for one shard. */
export function multiply(
  g: Graph,
  setting: GraphSetting,
  x: Value,
  name: string,
  matrix: StoredMatrix,
  format: LinearFormat,
): Value {
  const pieces = cutRows(matrix, (rows) => productBytes(rows, format, setting), setting.maxWeightBytes);
  return concatColumns(
    g,
    pieces.map((piece, i) =>
      product(g, setting, x, pieces.length > 1 ? `${name}.${i}` : name, piece, format),
    ),
  );
}

/** Pieces of a matrix whose weights are small enough: of about equal height, a whole number of blocks. */
function cutRows(
  matrix: StoredMatrix,
  bytesOf: (rows: StoredMatrix) => number,
  maxBytes: number,
): StoredMatrix[] {
  const bytes = bytesOf(matrix);
  if (bytes <= maxBytes) return [matrix];
  const most = BLOCK * Math.max(1, Math.floor(((maxBytes / bytes) * matrix.rows) / BLOCK));
  const height = BLOCK * Math.ceil(matrix.rows / Math.ceil(matrix.rows / most) / BLOCK);
  const starts = Array.from({ length: Math.ceil(matrix.rows / height) }, (_, i) => i * height);
  return starts.map((start) => sliceRows(matrix, start, Math.min(start + height, matrix.rows)));
}
