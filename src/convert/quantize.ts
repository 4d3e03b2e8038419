// Number formats: stored weights to float32, and float32 to half precision, blocks of 8 or 4 bits, int8 rows.
//
// The inner loops of the converter, over row-major float32 blocks; `!` stands where an index is in range
// by construction. Block layouts are those of MatMulNBits and GatherBlockQuantized (ONNX Runtime contrib
// operators): blocks run along a row, the low nibble is the earlier element, and with no zero point stored
// a weight is (q − 2^(bits−1)) · scale.

import type { StoredType } from './safetensors.ts';

/** Weights per scale in the block formats: the size for which every provider has fast kernels. */
export const BLOCK = 32;

/** Some rows of a matrix, or a range of their columns. */
export interface Rows {
  readonly data: Float32Array;
  readonly count: number;
  /** From one row to the next. */
  readonly stride: number;
  readonly firstColumn: number;
  readonly columns: number;
}

/** A float32 without its sign, and the lowest bit of its exponent. */
const MAGNITUDE = 0x7fff_ffff;
const LOWEST_EXPONENT = 0x0080_0000;

const floatScratch = new Float32Array(1);
const bitsScratch = new Uint32Array(floatScratch.buffer);

/**
 * The largest magnitude of `count` numbers, given and returned as bits of float32: magnitudes order as integers do.
 * Without a branch, which the processor would guess wrongly several times a block.
 */
function largestMagnitudeBits(bits: Int32Array, from: number, count: number): number {
  let largest = 0;
  for (let i = from; i < from + count; i++) {
    const lead = largest - (bits[i]! & MAGNITUDE);
    largest -= lead & (lead >> 31);
  }
  return largest;
}

function floatOf(bits: number): number {
  bitsScratch[0] = bits;
  return floatScratch[0]!;
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}

// ── stored formats ─────────────────────────────────────────────────────────────────────────────

/** Decodes stored numbers into `target` from `at` on. False when one of them is infinite or not a number. */
export function decodeStored(type: StoredType, bytes: Uint8Array, target: Float32Array, at: number): boolean {
  // Typed arrays of wider elements need an aligned start, which a range out of a file may not have.
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  if (type === 'BF16') return decodeBfloat16(new Uint16Array(buffer, byteOffset, length / 2), target, at);
  if (type === 'F16') return decodeFloat16(new Uint16Array(buffer, byteOffset, length / 2), target, at);
  const floats = new Float32Array(buffer, byteOffset, length / 4);
  target.set(floats, at);
  return floats.every(Number.isFinite);
}

/** bfloat16 is the upper half of a float32. Two at a time: reading is half of the work. */
function decodeBfloat16(source: Uint16Array, target: Float32Array, at: number): boolean {
  const pairs = new Uint32Array(source.buffer, source.byteOffset, source.length >> 1);
  const bits = new Uint32Array(target.buffer, target.byteOffset + 4 * at, source.length);
  // An exponent of ones carries into the sign when the lowest bit of an exponent is added.
  let carried = 0;
  for (let i = 0, to = 0; i < pairs.length; i++, to += 2) {
    const earlier = pairs[i]! << 16;
    const later = pairs[i]! & 0xffff_0000;
    carried |= ((earlier & MAGNITUDE) + LOWEST_EXPONENT) | ((later & MAGNITUDE) + LOWEST_EXPONENT);
    bits[to] = earlier;
    bits[to + 1] = later;
  }
  if (source.length % 2 === 1) {
    const last = source.at(-1)! << 16;
    carried |= (last & MAGNITUDE) + LOWEST_EXPONENT;
    bits[source.length - 1] = last;
  }
  return carried >= 0;
}

function decodeFloat16(source: Uint16Array, target: Float32Array, at: number): boolean {
  let finite = true;
  for (let i = 0; i < source.length; i++) {
    const bits = source[i]!;
    if ((bits & 0x7c00) === 0x7c00) finite = false;
    target[at + i] = halfValue(bits);
  }
  return finite;
}

// ── half precision ─────────────────────────────────────────────────────────────────────────────

/** The float16 nearest to a float32, ties to even; beyond ±65504 it is infinite. */
export function halfBits(value: number): number {
  floatScratch[0] = value;
  const bits = bitsScratch[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude >= 0x477f_f000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00);
  if (magnitude < 0x3880_0000) return sign | roundToEven(Math.abs(value) * 2 ** 24); // below 2⁻¹⁴: subnormal
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x3800_0000) >>> 13);
}

function roundToEven(value: number): number {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 === 1 ? nearest - 1 : nearest;
}

export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) return magnitude === 0x7c00 ? sign * Infinity : NaN;
  if (magnitude < 0x0400) return sign * magnitude * 2 ** -24;
  return sign * floatOf((magnitude << 13) + 0x3800_0000); // the exponent counts from −127 instead of −15
}

// ── plain numbers ──────────────────────────────────────────────────────────────────────────────

/** Rows as they are, from row `startRow` of `target` on. */
export function storeRows(rows: Rows, target: Float32Array, startRow: number): void {
  const { data, count, stride, firstColumn, columns } = rows;
  for (let row = 0; row < count; row++) {
    const from = row * stride + firstColumn;
    target.set(data.subarray(from, from + columns), (startRow + row) * columns);
  }
}

/** The same in half precision. False when a number is too large for it. */
export function storeHalfRows(rows: Rows, target: Uint16Array, startRow: number): boolean {
  const { data, count, stride, firstColumn, columns } = rows;
  let finite = true;
  for (let row = 0; row < count; row++) {
    const from = row * stride + firstColumn;
    const to = (startRow + row) * columns;
    for (let i = 0; i < columns; i++) {
      const bits = halfBits(data[from + i]!);
      if ((bits & 0x7c00) === 0x7c00) finite = false;
      target[to + i] = bits;
    }
  }
  return finite;
}

/** Numbers of a transposed matrix that are written per visit to a cache line. */
const TILE = 32;

/**
 * Rows as columns: element (r, c) goes to `target[c · targetRows + startRow + r]`.
 * Works in tiles, because writing one column at a time touches a cache line per number.
 */
export function storeTransposed(
  rows: Rows,
  target: Float32Array | Uint16Array,
  targetStride: number,
  startRow: number,
  convert: (value: number, row: number) => number,
): void {
  const { data, count, stride, firstColumn, columns } = rows;
  for (let tileRow = 0; tileRow < count; tileRow += TILE) {
    const endRow = Math.min(tileRow + TILE, count);
    for (let tileColumn = 0; tileColumn < columns; tileColumn += TILE) {
      const endColumn = Math.min(tileColumn + TILE, columns);
      for (let row = tileRow; row < endRow; row++) {
        const from = row * stride + firstColumn;
        let to = tileColumn * targetStride + startRow + row;
        for (let column = tileColumn; column < endColumn; column++, to += targetStride) {
          target[to] = convert(data[from + column]!, row);
        }
      }
    }
  }
}

// ── int8 rows ──────────────────────────────────────────────────────────────────────────────────

/** Steps on either side of zero; −128 is left out, so that both sides are alike. */
export const INT8_LEVELS = 127;

/** Largest magnitude of each row. */
export function largestPerRow({ data, count, stride, firstColumn, columns }: Rows): Float32Array {
  const bits = bitsOf(data);
  const largest = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    largest[row] = floatOf(largestMagnitudeBits(bits, row * stride + firstColumn, columns));
  }
  return largest;
}

/** Where int8 rows go: [rows, columns] or transposed, and a scale per row. */
export interface Int8Target {
  readonly quants: Int8Array;
  readonly scales: Float32Array;
}

/** A scale per row (largest magnitude / 127), numbers row by row. */
export function quantizeInt8Rows(rows: Rows, { quants, scales }: Int8Target, startRow: number): void {
  const { data, count, stride, firstColumn, columns } = rows;
  const inverses = int8Scales(rows, scales, startRow);
  for (let row = 0; row < count; row++) {
    const from = row * stride + firstColumn;
    const to = (startRow + row) * columns;
    const inverse = inverses[row]!;
    for (let i = 0; i < columns; i++) quants[to + i] = toInt8(data[from + i]!, inverse);
  }
}

/**
 * The same numbers transposed: `height` of them to a row of the target. Half of what this profile costs, hence not by
 * `storeTransposed`, whose call per number takes as long again.
 */
export function quantizeInt8Columns(
  rows: Rows,
  { quants, scales }: Int8Target,
  startRow: number,
  height: number,
): void {
  const { data, count, stride, firstColumn, columns } = rows;
  const inverses = int8Scales(rows, scales, startRow);
  for (let tileRow = 0; tileRow < count; tileRow += TILE) {
    const endRow = Math.min(tileRow + TILE, count);
    for (let tileColumn = 0; tileColumn < columns; tileColumn += TILE) {
      const endColumn = Math.min(tileColumn + TILE, columns);
      for (let row = tileRow; row < endRow; row++) {
        const inverse = inverses[row]!;
        const from = row * stride + firstColumn;
        let to = tileColumn * height + startRow + row;
        for (let column = tileColumn; column < endColumn; column++, to += height) {
          quants[to] = toInt8(data[from + column]!, inverse);
        }
      }
    }
  }
}

/** A row whose largest magnitude is below counts as zeros: its scale would have no inverse in float32. */
const SMALLEST_ROW = 1e-30;

/** Stores the scales of some rows and returns their inverses; 0 for a row of zeros. */
function int8Scales(rows: Rows, scales: Float32Array, startRow: number): Float32Array {
  const largest = largestPerRow(rows);
  return largest.map((max, row) => {
    scales[startRow + row] = max / INT8_LEVELS;
    return max < SMALLEST_ROW ? 0 : INT8_LEVELS / max;
  });
}

/** To the nearest step: adding and truncating is several times as fast as Math.round. */
function toInt8(value: number, inverse: number): number {
  return ((value * inverse + 128.5) | 0) - 128;
}

// ── blocks ─────────────────────────────────────────────────────────────────────────────────────

/** Where block-quantised rows go: [rows, blocks, BLOCK · bits / 8] and [rows, blocks] in half precision. */
export interface BlockTarget {
  readonly quants: Uint8Array;
  readonly scales: Uint16Array;
}

/**
 * Scales below the smallest normal float16 would be read as zero by devices that flush subnormals,
 * and would cost whole blocks; 2⁻¹⁴ is far below the step of any weight that matters.
 */
const SMALLEST_SCALE = 2 ** -14;

/**
 * The float16 nearest to `scale` under which `largest` still lies within half a step of `levels`.
 * Quantising with the rounded scale, not the exact one, keeps its rounding out of the error.
 */
function scaleBits(scale: number, largest: number, levels: number): number {
  const magnitude = Math.max(Math.abs(scale), SMALLEST_SCALE);
  let bits = halfBits(magnitude);
  if (halfValue(bits) * (levels + 0.5) < largest) bits++;
  return scale < 0 ? bits | 0x8000 : bits;
}

/** One block at the end of a row, padded with zeros, or one whose scale is sought. */
const scratch = new Float32Array(BLOCK);
const scratchBits = bitsOf(scratch);

/** Puts a block into `scratch`. */
function pad(data: Float32Array, from: number, size: number): void {
  for (let i = 0; i < size; i++) scratch[i] = data[from + i]!;
  scratch.fill(0, size);
}

/** 8 bits: scale = largest magnitude / 127, so every weight is within half a step. */
export function quantizeBlocks8(rows: Rows, { quants, scales }: BlockTarget, startRow: number): void {
  const { data, count, stride, firstColumn, columns } = rows;
  const bits = bitsOf(data);
  const blocks = Math.ceil(columns / BLOCK);
  for (let row = 0; row < count; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = row * stride + firstColumn + block * BLOCK;
      const target = (startRow + row) * blocks + block;
      const size = columns - block * BLOCK;
      if (size >= BLOCK) scales[target] = quantizeBlock8(data, bits, from, quants, target * BLOCK);
      else {
        pad(data, from, size);
        scales[target] = quantizeBlock8(scratch, scratchBits, 0, quants, target * BLOCK);
      }
    }
  }
}

/** One block; returns its scale. Four numbers to a turn of the loop. */
function quantizeBlock8(
  data: Float32Array,
  bits: Int32Array,
  from: number,
  quants: Uint8Array,
  to: number,
): number {
  const largest = floatOf(largestMagnitudeBits(bits, from, BLOCK));
  const scale = scaleBits(largest / 127, largest, 127);
  const inverse = 1 / halfValue(scale);
  for (let i = 0; i < BLOCK; i += 4) {
    quants[to + i] = (data[from + i]! * inverse + 128.5) | 0;
    quants[to + i + 1] = (data[from + i + 1]! * inverse + 128.5) | 0;
    quants[to + i + 2] = (data[from + i + 2]! * inverse + 128.5) | 0;
    quants[to + i + 3] = (data[from + i + 3]! * inverse + 128.5) | 0;
  }
  return scale;
}

/** How to choose the scale of a 4-bit block. */
export type ScaleChoice = 'largest' | 'search';

/**
 * 4 bits. The largest weight lies at −8 exactly (its sign is the scale's); one of the same size and the other
 * sign is then up to a whole step away, which costs less than halving the resolution of all (measured, SPEED.md).
 * `search` tries scales around that one and keeps the one with the least squared error.
 */
export function quantizeBlocks4(
  rows: Rows,
  { quants, scales }: BlockTarget,
  startRow: number,
  choice: ScaleChoice,
): void {
  const { data, count, stride, firstColumn, columns } = rows;
  const blocks = Math.ceil(columns / BLOCK);
  for (let row = 0; row < count; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = row * stride + firstColumn + block * BLOCK;
      pad(data, from, Math.min(BLOCK, columns - block * BLOCK));
      const extreme = extremeOfScratch();
      const bits =
        choice === 'search' ? searchedScale(extreme) : scaleBits(extreme / -8, Math.abs(extreme), 8);
      const target = (startRow + row) * blocks + block;
      scales[target] = bits;
      packNibbles(1 / halfValue(bits), quants, (target * BLOCK) / 2);
    }
  }
}

/** The weight of the largest magnitude; of several, the first. */
function extremeOfScratch(): number {
  const largest = largestMagnitudeBits(scratchBits, 0, BLOCK);
  let at = 0;
  while ((scratchBits[at]! & MAGNITUDE) !== largest) at++;
  return scratch[at]!;
}

function packNibbles(inverse: number, quants: Uint8Array, to: number): void {
  for (let i = 0; i < BLOCK; i += 2) {
    const low = Math.min(15, (scratch[i]! * inverse + 8.5) | 0);
    const high = Math.min(15, (scratch[i + 1]! * inverse + 8.5) | 0);
    quants[to + (i >> 1)] = low | (high << 4);
  }
}

/** Where the extreme weight may land: from clipping it by half a step to leaving a step and a half unused. */
const SEARCHED_LEVELS = [-8.5, -8, -7.6, -7.2, -6.8, 7.6, 7.2] as const;

function searchedScale(extreme: number): number {
  let best = scaleBits(extreme / -8, Math.abs(extreme), 8);
  let leastError = squaredError(halfValue(best));
  for (const level of SEARCHED_LEVELS) {
    const bits = scaleBits(extreme / level, 0, 8);
    const error = squaredError(halfValue(bits));
    if (error < leastError) {
      leastError = error;
      best = bits;
    }
  }
  return best;
}

function squaredError(scale: number): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) {
    const quant = Math.min(15, Math.max(0, (scratch[i]! * inverse + 8.5) | 0));
    const error = (quant - 8) * scale - scratch[i]!;
    sum += error * error;
  }
  return sum;
}
