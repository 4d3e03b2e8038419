// Filling shards: rows are read a block at a time, a few blocks ahead, and written down in every weight's encoding.

import { AsrError } from '../errors.ts';
import { type Matrix, readRows, storedBytesPerRow } from './matrix.ts';
import {
  halfBits,
  largestPerRow,
  quantizeBlocks4,
  quantizeBlocks8,
  quantizeInt8Columns,
  quantizeInt8Rows,
  type Rows,
  storeHalfRows,
  storeRows,
  storeTransposed,
} from './quantize.ts';
import type { Batch, Slot } from './shards.ts';
import type { Weight, WeightPart } from './weights.ts';

/** Stored bytes per block of rows: several lie in memory at once, as floats. Who fetches does so in blocks of their own. */
const BLOCK_BYTES = 2 ** 20;
/** Transposing wants whole tiles of rows. */
const ROW_MULTIPLE = 32;
/** Blocks under way at once: the disk or the network works while the last one is quantised. */
const BLOCKS_AHEAD = 4;

/** The memory that one batch of shards after another is made in: fresh memory for each would pile up as garbage. */
export class FillMemory {
  readonly #shards: Uint8Array<ArrayBuffer>[] = [];
  readonly #rows: Float32Array[] = [];

  /** Room for the `index`-th shard, all zeros. What was made in it before is gone. */
  shard(index: number, bytes: number): Uint8Array<ArrayBuffer> {
    const known = this.#shards[index];
    if (known !== undefined && known.length >= bytes) return known.subarray(0, bytes).fill(0);
    return (this.#shards[index] = new Uint8Array(bytes));
  }

  /** Room for rows, with anything in it: that of the block which is BLOCKS_AHEAD before the `index`-th. */
  rows(index: number, count: number): Float32Array {
    const slot = index % BLOCKS_AHEAD;
    const known = this.#rows[slot];
    if (known !== undefined && known.length >= count) return known.subarray(0, count);
    return (this.#rows[slot] = new Float32Array(count));
  }
}

/**
 * The content of a batch's shards, in `memory`.
 *
 * `onRead` hears of every block with the bytes of the checkpoint that it stood for.
 * Fails with what the source fails with, with `checkpoint-malformed` for weights that are no numbers, and with
 * `checkpoint-unsupported` for weights beyond half precision where the profile stores that.
 */
export async function fillShards(
  batch: Batch,
  memory: FillMemory,
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const shards = batch.shards.map(({ bytes }, i) => memory.shard(i, bytes));
  const stores = batch.passes.map(({ slots }) =>
    slots.map(({ slot, shard }) => storeOf(slot, shards[shard] ?? new Uint8Array())),
  );
  for await (const { pass, start, rows } of readAhead(batch, memory, signal)) {
    const { matrix } = batch.passes[pass] ?? {};
    if (matrix === undefined) continue;
    const count = rows.length / Math.max(1, matrix.columns);
    for (const store of stores[pass] ?? []) store(rows, matrix.columns, start, count);
    onRead(count * storedBytesPerRow(matrix));
  }
  return shards;
}

interface ReadBlock {
  readonly pass: number;
  readonly start: number;
  readonly rows: Float32Array;
}

/** All rows of all passes in order, the next few already being read. A block is good until the next is asked for. */
async function* readAhead(
  { passes }: Batch,
  memory: FillMemory,
  signal: AbortSignal,
): AsyncGenerator<ReadBlock> {
  const ahead: Promise<ReadBlock>[] = [];
  let blocks = 0;
  for (const [pass, { matrix }] of passes.entries()) {
    for (const [start, end] of rowBlocks(matrix)) {
      const rows = memory.rows(blocks++, (end - start) * matrix.columns);
      const block = readRows(matrix, start, end, rows, signal).then(() => ({ pass, start, rows }));
      // Whoever waits for it hears of a failure; until then nobody does.
      block.catch(() => undefined);
      ahead.push(block);
      if (ahead.length < BLOCKS_AHEAD) continue;
      const next = await ahead.shift();
      signal.throwIfAborted();
      if (next !== undefined) yield next;
    }
  }
  for (const block of ahead) yield await block;
}

function* rowBlocks(matrix: Matrix): Generator<[start: number, end: number]> {
  const perRow = Math.max(storedBytesPerRow(matrix), 2 * matrix.columns);
  const count = ROW_MULTIPLE * Math.max(1, Math.floor(BLOCK_BYTES / perRow / ROW_MULTIPLE));
  for (let start = 0; start < matrix.rows; start += count)
    yield [start, Math.min(start + count, matrix.rows)];
}

/** Writes rows [start, start + count) of a matrix `columns` wide into the shard. */
type Store = (rows: Float32Array, columns: number, start: number, count: number) => void;

function storeOf({ weight, offsets }: Slot, shard: Uint8Array<ArrayBuffer>): Store {
  const views = weight.parts.map((part, i) => viewOf(part, shard, offsets[i] ?? 0));
  const write = writer(weight, views);
  return (data, stride, start, count) => {
    const fits = write(
      { data, count, stride, firstColumn: weight.firstColumn, columns: weight.columns },
      start,
    );
    if (fits) return;
    throw new AsrError(
      'checkpoint-unsupported',
      `${weight.name} holds a weight beyond half precision; use another profile`,
    );
  };
}

type View = Float32Array | Uint16Array | Uint8Array | Int8Array;

function viewOf({ type, dims }: WeightPart, { buffer }: Uint8Array<ArrayBuffer>, offset: number): View {
  const size = dims.reduce((product, n) => product * n, 1);
  switch (type) {
    case 'float32':
      return new Float32Array(buffer, offset, size);
    case 'float16':
      return new Uint16Array(buffer, offset, size);
    case 'int8':
      return new Int8Array(buffer, offset, size);
    default:
      return new Uint8Array(buffer, offset, size);
  }
}

/** Writes rows from row `start` on; false when a number does not fit the encoding. */
type Writer = (rows: Rows, start: number) => boolean;

function writer({ matrix, encoding }: Weight, [first, second]: readonly View[]): Writer {
  switch (encoding.as) {
    case 'rows':
      return encoding.type === 'float16'
        ? (rows, start) => storeHalfRows(rows, first as Uint16Array, start)
        : (rows, start) => (storeRows(rows, first as Float32Array, start), true);
    case 'columns':
      return columnWriter(matrix.rows, encoding.type, first as Float32Array | Uint16Array);
    case 'blocks': {
      const target = { quants: first as Uint8Array, scales: second as Uint16Array };
      return encoding.bits === 8
        ? (rows, start) => (quantizeBlocks8(rows, target, start), true)
        : (rows, start) => (quantizeBlocks4(rows, target, start, encoding.choice), true);
    }
    case 'int8-rows':
    case 'int8-columns': {
      const target = { quants: first as Int8Array, scales: second as Float32Array };
      return encoding.as === 'int8-rows'
        ? (rows, start) => (quantizeInt8Rows(rows, target, start), true)
        : (rows, start) => (quantizeInt8Columns(rows, target, start, matrix.rows), true);
    }
  }
}

function columnWriter(
  height: number,
  type: 'float32' | 'float16',
  target: Float32Array | Uint16Array,
): Writer {
  if (type === 'float32') {
    return (rows, start) => (storeTransposed(rows, target, height, start, (value) => value), true);
  }
  return (rows, start) => {
    storeTransposed(rows, target, height, start, halfBits);
    return largestPerRow(rows).every((largest) => largest < 65_520);
  };
}
