// One channel's part of an AAC packet, as the bits say it: windows, scale factors, quantized
// spectrum and what shapes it (ISO/IEC 14496-3, 4.4.2 and 4.6).

import { badPacket, Huffman, type AacBits } from './bits.ts';
import {
  LONG_BANDS,
  SCALE_FACTOR_BOOK,
  SHORT_BANDS,
  SPECTRAL_BOOKS,
  TNS_LONG_BANDS,
  TNS_SHORT_BANDS,
} from './tables.ts';

/** Spectral lines of a packet: one long window, or eight short ones of 128. */
export const FRAME_LINES = 1024;
export const SHORT_LINES = 128;

/** Window sequences. */
export const LONG_START = 1;
export const EIGHT_SHORT = 2;
export const LONG_STOP = 3;

/** Codebooks that stand for something else than quantized lines. */
const ZERO = 0;
export const NOISE = 13;
export const INTENSITY_OUT_OF_PHASE = 14;
export const INTENSITY = 15;

/** How the lines are arranged. Shared by both channels of a pair with a common window. */
export interface Windows {
  readonly sequence: number;
  /** 0: sine, 1: Kaiser-Bessel derived. */
  readonly shape: number;
  /** Bands that carry anything. */
  readonly bandCount: number;
  /** Where each band of a window starts, and the window's end. */
  readonly bands: readonly number[];
  /** Windows in each group; a group shares its scale factors. */
  readonly groups: readonly number[];
  /** Bands that noise shaping may reach. */
  readonly shapedBands: number;
}

/** One filter of temporal noise shaping. */
export interface NoiseShaper {
  readonly window: number;
  /** Bands, the end not included. */
  readonly startBand: number;
  readonly endBand: number;
  readonly downward: boolean;
  /** Linear prediction coefficients behind the leading 1. */
  readonly coefficients: Float64Array;
}

export interface Channel {
  readonly windows: Windows;
  /** Codebook and scale factor (intensity position, noise level) by group · bandCount + band. */
  readonly books: Uint8Array;
  readonly scales: Int16Array;
  /** Quantized lines, window after window. */
  readonly lines: Int16Array;
  readonly shapers: readonly NoiseShaper[];
}

export function readWindows(bits: AacBits, rateIndex: number): Windows {
  bits.skip(1);
  const sequence = bits.take(2);
  const shape = bits.take(1);
  const short = sequence === EIGHT_SHORT;
  const bands = (short ? SHORT_BANDS : LONG_BANDS)[rateIndex] ?? [];
  const bandCount = bits.take(short ? 4 : 6);
  if (bandCount >= bands.length) throw badPacket('it has more bands than there are');
  const groups = [1];
  if (short) {
    for (let w = 1; w < 8; w++) {
      if (bits.flag()) groups[groups.length - 1] = (groups[groups.length - 1] ?? 0) + 1;
      else groups.push(1);
    }
  } else if (bits.flag()) {
    throw badPacket('it is predicted from earlier ones, which AAC-LC never is');
  }
  const shapedBands = (short ? TNS_SHORT_BANDS : TNS_LONG_BANDS)[rateIndex] ?? 0;
  return { sequence, shape, bandCount, bands, groups, shapedBands };
}

/** individual_channel_stream: one channel, with its windows unless a pair shares them. */
export function readChannel(bits: AacBits, rateIndex: number, common: Windows | undefined): Channel {
  const globalGain = bits.take(8);
  const windows = common ?? readWindows(bits, rateIndex);
  const books = readSections(bits, windows);
  const scales = readScales(bits, books, globalGain);
  const pulses = bits.flag() ? readPulses(bits, windows) : [];
  const shapers = bits.flag() ? readShapers(bits, windows) : [];
  if (bits.flag()) throw badPacket('it has gain control, which AAC-LC never has');
  const lines = readLines(bits, windows, books);
  for (const { line, amplitude } of pulses) lines[line] = grown(lines[line] ?? 0, amplitude);
  bits.checkEnd();
  return { windows, books, scales, lines, shapers };
}

function grown(line: number, amplitude: number): number {
  return line > 0 ? line + amplitude : line - amplitude;
}

/** Runs of bands with the same codebook. */
function readSections(bits: AacBits, { sequence, groups, bandCount }: Windows): Uint8Array {
  const lengthBits = sequence === EIGHT_SHORT ? 3 : 5;
  const escape = (1 << lengthBits) - 1;
  const books = new Uint8Array(groups.length * bandCount);
  for (let start = 0; start < books.length; start += bandCount) {
    for (let band = 0; band < bandCount;) {
      const book = bits.take(4);
      if (book === 12) throw badPacket('it names a codebook that does not exist');
      let length = 0;
      for (let more = escape; more === escape; length += more) {
        more = bits.take(lengthBits);
        bits.checkEnd();
      }
      if (band + length > bandCount) throw badPacket('its sections reach too far');
      books.fill(book, start + band, start + band + length);
      band += length;
    }
  }
  return books;
}

const SCALE_FACTORS = new Huffman(SCALE_FACTOR_BOOK);
/** Noise levels start so far below the global gain. */
const NOISE_OFFSET = 90;

/** Scale factors, intensity positions and noise levels: each kind counts on from the last of its kind. */
function readScales(bits: AacBits, books: Uint8Array, globalGain: number): Int16Array {
  let scale = globalGain;
  let position = 0;
  let noise = globalGain - NOISE_OFFSET;
  let firstNoise = true;
  const step = (): number => SCALE_FACTORS.read(bits) - 60;
  return Int16Array.from(books, (book) => {
    if (book === ZERO) return 0;
    if (book >= INTENSITY_OUT_OF_PHASE) return (position += step());
    if (book === NOISE) {
      noise += firstNoise ? bits.take(9) - 256 : step();
      firstNoise = false;
      return noise;
    }
    scale += step();
    if (scale < 0 || scale > 255) throw badPacket('its scale factors leave their range');
    return scale;
  });
}

function readPulses(bits: AacBits, { sequence, bands }: Windows): { line: number; amplitude: number }[] {
  if (sequence === EIGHT_SHORT) throw badPacket('it has pulses in short windows');
  const count = bits.take(2) + 1;
  const startBand = bits.take(6);
  let line = bands[startBand];
  if (line === undefined) throw badPacket('its pulses lie behind the last band');
  return Array.from({ length: count }, () => {
    line = (line ?? 0) + bits.take(5);
    if (line >= FRAME_LINES) throw badPacket('its pulses lie behind the last line');
    return { line, amplitude: bits.take(4) };
  });
}

function readShapers(bits: AacBits, windows: Windows): NoiseShaper[] {
  const short = windows.sequence === EIGHT_SHORT;
  const shapers: NoiseShaper[] = [];
  for (let window = 0; window < (short ? 8 : 1); window++) {
    const filters = bits.take(short ? 1 : 2);
    const resolution = filters > 0 ? bits.take(1) + 3 : 0;
    let endBand = windows.bands.length - 1;
    for (let f = 0; f < filters; f++) {
      const length = bits.take(short ? 4 : 6);
      const order = bits.take(short ? 3 : 5);
      const startBand = Math.max(0, endBand - length);
      if (order > 12) throw badPacket('its noise shaping is of too high an order');
      if (order > 0) {
        const downward = bits.flag();
        const coefficients = readShaper(bits, order, resolution);
        shapers.push({ window, startBand, endBand, downward, coefficients });
      }
      endBand = startBand;
    }
  }
  return shapers;
}

/** Quantized reflection coefficients (4.6.9.3) → prediction coefficients. */
function readShaper(bits: AacBits, order: number, resolution: number): Float64Array {
  const coefficientBits = resolution - bits.take(1);
  const half = 1 << (coefficientBits - 1);
  const steps = 1 << (resolution - 1);
  const a = new Float64Array(order + 1);
  a[0] = 1;
  for (let m = 1; m <= order; m++) {
    const raw = bits.take(coefficientBits);
    const value = raw >= half ? raw - 2 * half : raw;
    const reflection = Math.sin((value * Math.PI) / 2 / (value >= 0 ? steps - 0.5 : steps + 0.5));
    const before = a.slice();
    for (let i = 1; i < m; i++) a[i] = (before[i] ?? 0) + reflection * (before[m - i] ?? 0);
    a[m] = reflection;
  }
  return a.subarray(1);
}

/** What a spectral codebook's symbols mean: `dimension` values each, kept one after the other. */
interface LineBook {
  readonly huffman: Huffman;
  readonly dimension: number;
  readonly values: Int8Array;
  readonly signed: boolean;
}

/** Largest value and sign by codebook (table 4.136); 1 to 4 hold four lines to a symbol, the others two. */
const LARGEST = [1, 1, 2, 2, 4, 4, 7, 7, 12, 12, 16];
const SIGNED = [true, true, false, false, true, true, false, false, false, false, false];
const ESCAPE = 16;

const LINE_BOOKS: readonly LineBook[] = SPECTRAL_BOOKS.map((book, i) => {
  const largest = LARGEST[i] ?? 0;
  const signed = SIGNED[i] ?? false;
  const dimension = i < 4 ? 4 : 2;
  const base = signed ? 2 * largest + 1 : largest + 1;
  const values = Int8Array.from({ length: base ** dimension * dimension }, (_, at) => {
    const symbol = Math.floor(at / dimension);
    const digit = Math.floor(symbol / base ** (dimension - 1 - (at % dimension))) % base;
    return digit - (signed ? largest : 0);
  });
  return { huffman: new Huffman(book), dimension, values, signed };
});

function readLines(bits: AacBits, windows: Windows, books: Uint8Array): Int16Array {
  const { bandCount, bands, groups } = windows;
  const lines = new Int16Array(FRAME_LINES);
  let firstWindow = 0;
  groups.forEach((groupWindows, g) => {
    for (let band = 0; band < bandCount; band++) {
      const book = LINE_BOOKS[(books[g * bandCount + band] ?? 0) - 1];
      if (!book) continue;
      for (let w = firstWindow; w < firstWindow + groupWindows; w++) {
        const start = w * SHORT_LINES;
        readBand(bits, book, lines, start + (bands[band] ?? 0), start + (bands[band + 1] ?? 0));
      }
    }
    firstWindow += groupWindows;
  });
  return lines;
}

function readBand(bits: AacBits, book: LineBook, lines: Int16Array, start: number, end: number): void {
  const { huffman, dimension, values, signed } = book;
  const escapes = book === LINE_BOOKS[10];
  for (let line = start; line < end; line += dimension) {
    const at = huffman.read(bits) * dimension;
    for (let i = 0; i < dimension; i++) lines[line + i] = values[at + i] ?? 0;
    if (signed) continue;
    for (let i = line; i < line + dimension; i++) {
      if (lines[i] !== 0 && bits.take(1) === 1) lines[i] = -(lines[i] ?? 0);
    }
    if (!escapes) continue;
    for (let i = line; i < line + dimension; i++) {
      if (lines[i] === ESCAPE) lines[i] = readEscape(bits);
      else if (lines[i] === -ESCAPE) lines[i] = -readEscape(bits);
    }
  }
}

/** Values from 16 to 8191: the number of bits in unary, then the bits behind the leading one. */
function readEscape(bits: AacBits): number {
  let length = 4;
  while (bits.flag()) length++;
  if (length > 12) throw badPacket('a value is too large');
  return (1 << length) + bits.take(length);
}
