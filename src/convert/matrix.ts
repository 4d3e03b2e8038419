// Matrices as the graphs want them, described in terms of the checkpoint's tensors and read a few rows at a time.
//
// A matrix is a list of row runs (stacked, repeated, interleaved with zeros) seen through a list of column runs.
// Nothing is read until a shard is filled, and never more than a block of rows at once.

import { AsrError, assert } from '../errors.ts';
import { decodeStored } from './quantize.ts';
import { STORED_BYTES, type StoredTensor, type StoredType } from './safetensors.ts';

/** `count` rows of a tensor from `start` on, or of zeros where there is no tensor. */
export interface RowRun {
  readonly tensor?: StoredTensor;
  /** A tensor said to hold the same bytes; reading fails with `CopyDiffers` where it does not. */
  readonly copy?: StoredTensor;
  readonly start: number;
  readonly count: number;
}

/** `count` columns from `start` on, or of zeros where `start` is undefined. */
export interface ColumnRun {
  readonly start?: number;
  readonly count: number;
}

/** Rows and columns of numbers out of the checkpoint. A tensor of more dimensions has rows of its first one. */
export interface StoredMatrix {
  readonly kind: 'stored';
  readonly rows: number;
  readonly columns: number;
  readonly rowRuns: readonly RowRun[];
  /** undefined: all columns, as they are. */
  readonly columnRuns?: readonly ColumnRun[];
}

/** Rows and columns of numbers given by a formula. */
export interface ComputedMatrix {
  readonly kind: 'computed';
  readonly rows: number;
  readonly columns: number;
  /** Says what the numbers depend on; part of a shard's plan key. */
  readonly formula: string;
  readonly at: (row: number, column: number) => number;
}

export type Matrix = StoredMatrix | ComputedMatrix;

/** A whole tensor as a matrix; a vector becomes a column. */
export function wholeMatrix(tensor: StoredTensor): StoredMatrix {
  const [rows = 1, ...rest] = tensor.shape;
  return {
    kind: 'stored',
    rows,
    columns: rest.reduce((product, size) => product * size, 1),
    rowRuns: [{ tensor, start: 0, count: rows }],
  };
}

/** The same matrix, compared with a copy of its tensor while it is read. */
export function withCopy(matrix: StoredMatrix, copy: StoredTensor): StoredMatrix {
  return { ...matrix, rowRuns: matrix.rowRuns.map((run) => ({ ...run, copy })) };
}

/** Two tensors that were taken for copies of each other differ. Found while reading, hence an error. */
export class CopyDiffers extends Error {
  override readonly name = 'CopyDiffers';
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const [wideA, wideB] = [words(a), words(b)];
  for (let i = 0; i < wideA.length; i++) if (wideA[i] !== wideB[i]) return false;
  for (let i = 4 * wideA.length; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Four bytes at a time, without what is left over. */
function words(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(buffer, byteOffset, length >> 2);
}

/** Matrices of equal width, one under the other. */
export function stackRows(...parts: readonly StoredMatrix[]): StoredMatrix {
  const [first] = parts;
  assert(first !== undefined, 'there is something to stack');
  assert(
    parts.every((part) => part.columns === first.columns && part.columnRuns === first.columnRuns),
    'stacked matrices have the same columns',
  );
  return {
    ...first,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    rowRuns: parts.flatMap((part) => part.rowRuns),
  };
}

/** Rows picked, repeated and padded; `runs` without a `start` are zeros. The matrix must be one tensor, whole. */
export function pickRows(matrix: StoredMatrix, runs: readonly ColumnRun[]): StoredMatrix {
  const [whole, ...more] = matrix.rowRuns;
  const tensor = whole?.tensor;
  assert(tensor !== undefined && more.length === 0, 'rows are picked from one whole tensor');
  return {
    ...matrix,
    rows: countOf(runs),
    rowRuns: runs.map(({ start, count }) =>
      start === undefined ? { start: 0, count } : { tensor, start, count },
    ),
  };
}

/** The same for columns. */
export function pickColumns(matrix: StoredMatrix, runs: readonly ColumnRun[]): StoredMatrix {
  assert(matrix.columnRuns === undefined, 'columns are picked once');
  return { ...matrix, columns: countOf(runs), columnRuns: runs };
}

/** Rows [start, end) of a matrix, as a matrix. */
export function sliceRows(matrix: StoredMatrix, start: number, end: number): StoredMatrix {
  return { ...matrix, rows: end - start, rowRuns: runsWithin(matrix, start, end) };
}

function countOf(runs: readonly ColumnRun[]): number {
  return runs.reduce((sum, run) => sum + run.count, 0);
}

/** The row runs that make up rows [start, end), neighbours in the file joined. */
function runsWithin(matrix: StoredMatrix, start: number, end: number): RowRun[] {
  const within: RowRun[] = [];
  let row = 0;
  for (const run of matrix.rowRuns) {
    const from = Math.max(start, row);
    const to = Math.min(end, row + run.count);
    const last = within.at(-1);
    if (from < to) {
      const piece = { ...run, start: run.start + from - row, count: to - from };
      if (
        last?.tensor !== undefined &&
        last.tensor === piece.tensor &&
        last.start + last.count === piece.start
      ) {
        within[within.length - 1] = { ...last, count: last.count + piece.count };
      } else {
        within.push(piece);
      }
    }
    row += run.count;
  }
  return within;
}

/** Bytes of the checkpoint that one row stands for, on average: what reading it costs. */
export function storedBytesPerRow(matrix: Matrix): number {
  if (matrix.kind === 'computed') return 0;
  const bytes = matrix.rowRuns.reduce((sum, run) => sum + run.count * rowBytes(run), 0);
  return bytes / Math.max(1, matrix.rows);
}

function rowBytes({ tensor }: RowRun): number {
  return tensor === undefined ? 0 : tensor.bytes / Math.max(1, tensor.shape[0] ?? 1);
}

/**
 * Rows [start, end) as float32, row-major, into `target`, which may hold anything and has just the room.
 *
 * Fails with `checkpoint-malformed` when a weight is infinite or not a number: no product survives it,
 * so the file is damaged or its training ran away.
 */
export async function readRows(
  matrix: Matrix,
  start: number,
  end: number,
  target: Float32Array,
  signal: AbortSignal,
): Promise<void> {
  if (matrix.kind === 'computed') {
    for (let i = 0; i < target.length; i++) {
      target[i] = matrix.at(start + Math.floor(i / matrix.columns), i % matrix.columns);
    }
    return;
  }
  let at = 0;
  await Promise.all(
    runsWithin(matrix, start, end).map(async (run) => {
      const to = at;
      at += run.count * matrix.columns;
      if (run.tensor === undefined) target.fill(0, to, at);
      else await readRun(matrix, run, run.tensor, target, to, signal);
    }),
  );
}

async function readRun(
  matrix: StoredMatrix,
  run: RowRun,
  tensor: StoredTensor,
  target: Float32Array,
  to: number,
  signal: AbortSignal,
): Promise<void> {
  const stride = rowBytes(run);
  const read = ({ source, offset }: StoredTensor): Promise<Uint8Array> =>
    source.read(offset + run.start * stride, run.count * stride, signal);
  const [bytes, copy] = await Promise.all([read(tensor), run.copy && read(run.copy)]);
  if (copy !== undefined && !sameBytes(bytes, copy)) throw new CopyDiffers(`${run.copy?.name} is no copy`);
  const type = tensor.type as StoredType;
  if (matrix.columnRuns === undefined) {
    if (!decodeStored(type, bytes, target, to)) throw notFinite(tensor);
    return;
  }
  const width = stride / STORED_BYTES[type];
  const whole = new Float32Array(run.count * width);
  if (!decodeStored(type, bytes, whole, 0)) throw notFinite(tensor);
  for (let row = 0; row < run.count; row++) {
    let column = to + row * matrix.columns;
    for (const { start, count } of matrix.columnRuns) {
      const from = row * width + (start ?? 0);
      if (start === undefined) target.fill(0, column, column + count);
      else target.set(whole.subarray(from, from + count), column);
      column += count;
    }
  }
}

function notFinite(tensor: StoredTensor): AsrError {
  return new AsrError(
    'checkpoint-malformed',
    `${tensor.name} holds a weight that is infinite or not a number`,
  );
}
