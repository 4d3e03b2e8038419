// The table of token vectors, as embedding (row by id) and as head (a score per row). In GLM-ASR both are one
// matrix, so its bytes are stored once and read both ways.
//
// It is the largest matrix by far (485 MB in float32), hence cut: along the hidden axis, so that a row is the
// pieces side by side and a score is the sum over the pieces.

import { assert } from '../errors.ts';
import type { Graph, Value } from './graph.ts';
import type { StoredMatrix } from './matrix.ts';
import { cast, concatColumns, gatherRows, splitColumns } from './ops.ts';
import type { GraphSetting } from './profiles.ts';
import { BLOCK } from './quantize.ts';
import { type Encoding, type Weight, weight, weightBytes } from './weights.ts';

export class VocabularyTable {
  readonly #setting: GraphSetting;
  readonly #matrix: StoredMatrix;
  readonly #pieces: readonly Weight[];

  /** @param matrix [vocab, hidden] */
  constructor(name: string, matrix: StoredMatrix, setting: GraphSetting) {
    this.#setting = setting;
    this.#matrix = matrix;
    const whole = weight(name, matrix, tableEncoding(setting));
    const widths = cutWidths(matrix.columns, weightBytes(whole), setting.maxWeightBytes);
    let firstColumn = 0;
    this.#pieces = widths.map((columns, i) => {
      const range = { firstColumn, columns };
      firstColumn += columns;
      return weight(widths.length > 1 ? `${name}.${i}` : name, matrix, whole.encoding, range);
    });
  }

  /** ids [n] → rows [n, hidden], in the graph's activation type. */
  lookUp(g: Graph, ids: Value): Value {
    const { activation } = this.#setting;
    const rows = this.#pieces.map((piece) => cast(g, gatherRows(g, partOf(g, piece, 0), ids), activation));
    return concatColumns(g, rows);
  }

  /** x [k, hidden] → scores [k, vocab], float32. */
  scores(g: Graph, x: Value): Value {
    const pieces = splitColumns(
      g,
      x,
      this.#pieces.map((piece) => piece.columns),
    );
    let sum: Value | undefined;
    for (const [i, piece] of this.#pieces.entries()) {
      const part = pieces[i];
      assert(part !== undefined, 'as many pieces of x as of the table');
      const table = cast(g, partOf(g, piece, 0), x.type);
      sum = g.node(
        'Gemm',
        [part, table, ...(sum ? [sum] : [])],
        { type: x.type, shape: [x.shape[0] ?? 'k', this.#matrix.rows] },
        { attributes: { transB: { int: 1 } } },
      );
    }
    assert(sum !== undefined, 'a table has pieces');
    return cast(g, sum, 'float32');
  }
}

function tableEncoding({ formats }: GraphSetting): Encoding {
  switch (formats.table.kind) {
    case 'plain':
      return { as: 'rows', type: formats.plain };
    case 'blocks':
    case 'int8':
      throw new Error('not yet');
  }
}

function partOf(g: Graph, piece: Weight, i: number): Value {
  const value = g.weight(piece)[i];
  assert(value !== undefined, 'the weight has that part');
  return value;
}

/** Widths of about equal size, whole blocks but for the last, each light enough. */
function cutWidths(columns: number, bytes: number, maxBytes: number): number[] {
  const count = Math.ceil(bytes / maxBytes);
  if (count <= 1) return [columns];
  const most = BLOCK * Math.max(1, Math.floor(((maxBytes / bytes) * columns) / BLOCK));
  const width = BLOCK * Math.ceil(columns / Math.ceil(columns / most) / BLOCK);
  return Array.from({ length: Math.ceil(columns / width) }, (_, i) => Math.min(width, columns - i * width));
}
