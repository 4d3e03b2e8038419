// The table of token vectors, as embedding (row by id) and as head (a score per row). In GLM-ASR both are one
// matrix, so its bytes are stored once and read both ways where a kernel allows it.
//
// It is the largest matrix by far (485 MB in float32), hence cut: along the hidden axis, so that a row is the
// pieces side by side and a score is the sum over the pieces.

import { assert } from '../errors.ts';
import type { Graph, Value } from './graph.ts';
import type { StoredMatrix } from './matrix.ts';
import { add, cast, concatColumns, gatherRows, mul, reshape, splitColumns } from './ops.ts';
import { blockProduct } from './products.ts';
import type { GraphSetting, LinearFormat } from './profiles.ts';
import { BLOCK } from './quantize.ts';
import { type Encoding, type Weight, weight, weightBytes } from './weights.ts';

export class VocabularyTable {
  readonly #setting: GraphSetting;
  readonly #format: LinearFormat;
  readonly #pieces: readonly Weight[];

  /** @param matrix [vocab, hidden] */
  constructor(name: string, matrix: StoredMatrix, setting: GraphSetting) {
    this.#setting = setting;
    this.#format = setting.formats.table;
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
    return concatColumns(
      g,
      this.#pieces.map((piece) => cast(g, this.#rows(g, piece, ids), activation)),
    );
  }

  /** x [k, hidden], float32 → scores [k, vocab], float32. Not for int8, whose rows no kernel reads both ways. */
  scores(g: Graph, x: Value): Value {
    const widths = this.#pieces.map((piece) => piece.columns);
    const columns = splitColumns(g, x, widths);
    const parts = columns.map((part, i) => {
      const piece = this.#pieces[i];
      assert(piece !== undefined, 'as many pieces of x as of the table');
      return this.#partialScores(g, piece, part);
    });
    return parts.reduce((sum, part) => add(g, sum, part));
  }

  #rows(g: Graph, piece: Weight, ids: Value): Value {
    const [numbers, scales] = g.weight(piece);
    assert(numbers !== undefined, 'a weight has parts');
    // The table is cast, not the rows: a device without half precision can read only the former, once, at load.
    if (this.#format.kind === 'plain') return gatherRows(g, cast(g, numbers, this.#setting.activation), ids);
    assert(scales !== undefined, 'quantised weights have scales');
    return this.#format.kind === 'blocks'
      ? blockRows(g, numbers, this.#perBlock(g, piece), this.#format.bits, piece.columns, ids)
      : int8Rows(g, numbers, scales, ids);
  }

  /** The scales of blocks, with the dimensions that gathering wants. */
  #perBlock(g: Graph, { parts }: Weight): Value {
    const scales = parts[1];
    assert(scales !== undefined, 'blocks have scales');
    return cast(g, g.part(scales, [...scales.dims, 1]), this.#setting.activation);
  }

  #partialScores(g: Graph, piece: Weight, x: Value): Value {
    const [numbers, scales] = g.weight(piece);
    assert(numbers !== undefined && this.#format.kind !== 'int8', 'the table can be read as a head');
    if (this.#format.kind === 'blocks') {
      assert(scales !== undefined, 'blocks have scales');
      return blockProduct(
        g,
        x,
        { quants: numbers, scales, bits: this.#format.bits },
        this.#setting.accuracyLevel,
      );
    }
    const { activation } = this.#setting;
    const result = { type: activation, shape: [x.shape[0] ?? 'k', numbers.shape[0] ?? 0] };
    const operands = [x, numbers].map((value) => cast(g, value, activation));
    return cast(g, g.node('Gemm', operands, result, { attributes: { transB: { int: 1 } } }), 'float32');
  }
}

function tableEncoding({ formats, scaleChoice }: GraphSetting): Encoding {
  switch (formats.table.kind) {
    case 'plain':
      return { as: 'rows', type: formats.plain };
    case 'blocks':
      return { as: 'blocks', bits: formats.table.bits, choice: scaleChoice };
    case 'int8':
      return { as: 'int8-rows' };
  }
}

/**
 * Rows out of blocks [vocab, blocks, ..]. Gathering from the very constant that the product reads, with its three
 * dimensions, keeps the table in memory once; a view under two dimensions would be a second copy.
 *
 * @param scales [vocab, blocks, 1]
 */
function blockRows(g: Graph, quants: Value, scales: Value, bits: number, columns: number, ids: Value): Value {
  const [count = 'n'] = ids.shape;
  const blocks = Number(scales.shape[1]);
  const width = blocks * BLOCK;
  const gathered = g.node(
    'GatherBlockQuantized',
    [quants, ids, scales],
    { type: scales.type, shape: [count, blocks, BLOCK] },
    {
      domain: 'com.microsoft',
      attributes: {
        bits: { int: bits },
        block_size: { int: BLOCK },
        gather_axis: { int: 0 },
        quantize_axis: { int: 2 },
      },
    },
  );
  const whole = reshape(g, gathered, [-1, width], [count, width]);
  if (width === columns) return whole;
  const [kept] = splitColumns(g, whole, [columns, width - columns]);
  assert(kept !== undefined, 'split in two');
  return kept;
}

/** Rows out of int8 [vocab, hidden] with a scale per row. */
function int8Rows(g: Graph, quants: Value, scales: Value, ids: Value): Value {
  const numbers = cast(g, gatherRows(g, quants, ids), 'float32');
  const scale = gatherRows(g, scales, ids);
  const [count = 'n'] = ids.shape;
  return mul(g, numbers, reshape(g, scale, [-1, 1], [count, 1]));
}

/** Widths of about equal size, whole blocks but for the last, each light enough. */
function cutWidths(columns: number, bytes: number, maxBytes: number): number[] {
  if (bytes <= maxBytes) return [columns];
  const most = BLOCK * Math.max(1, Math.floor(((maxBytes / bytes) * columns) / BLOCK));
  const width = BLOCK * Math.ceil(columns / Math.ceil(columns / most) / BLOCK);
  return Array.from({ length: Math.ceil(columns / width) }, (_, i) => Math.min(width, columns - i * width));
}
