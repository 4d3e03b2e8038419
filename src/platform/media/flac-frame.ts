// One FLAC frame: bytes → samples, exactly.
//
//   header ─► per channel: wasted bits, predictor (constant, verbatim, fixed, LPC) + Rice residual
//          ─► undo the stereo trick ─► scale to [−1, 1)
//
// Source: RFC 9639, whose section numbers are given below. Written here because the WebAssembly
// decoder at hand loses the last frame of many files and gives infinities for 12-bit sound
// (see ARCHITECTURE.md).

import { AsrError } from '../../errors.ts';
import { FlacBits, OutOfBits, type Residual } from './flac-bits.ts';
import type { PcmBlock } from './pcm.ts';

export interface FlacHeader {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitDepth: number;
  readonly blockSamples: number;
  /** How the channels are combined: 8 left/side, 9 side/right, 10 mid/side; below that independent. */
  readonly assignment: number;
  readonly headerBytes: number;
}

/** What the file says once, for frames that leave it out. */
export interface StreamInfo {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitDepth: number;
  /** Samples per channel in all; 0 when the writer did not know. */
  readonly totalSamples: number;
}

/** Bytes that hold the longest frame header. */
export const FLAC_HEADER_BYTES = 16;

const RATES = [0, 88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
const DEPTHS = [0, 8, 12, -1, 16, 20, 24, 32];

/** The frame header at `at` (section 9.1), or undefined when none stands there: sync code and CRC-8 tell. */
export function flacHeaderAt(
  bytes: Uint8Array,
  at: number,
  info: StreamInfo | undefined,
): FlacHeader | undefined {
  if (at + 6 > bytes.length || bytes[at] !== 0xff || ((bytes[at + 1] ?? 0) & 0xfe) !== 0xf8) return undefined;
  try {
    return readHeader(bytes, at, info);
  } catch (error) {
    if (error instanceof OutOfBits) return undefined; // cut in the middle of the header
    throw error;
  }
}

function readHeader(bytes: Uint8Array, at: number, info: StreamInfo | undefined): FlacHeader | undefined {
  const bits = new FlacBits(bytes, at + 2);
  const sizeCode = bits.unsigned(4);
  const rateCode = bits.unsigned(4);
  const assignment = bits.unsigned(4);
  const depthCode = bits.unsigned(3);
  bits.unsigned(1);
  skipCodedNumber(bits);
  const blockSamples = readBlockSamples(bits, sizeCode);
  const sampleRate = readRate(bits, rateCode) ?? info?.sampleRate ?? 0;
  bits.alignToByte();
  const crcAt = bits.position;
  const bitDepth = depthCode === 0 ? (info?.bitDepth ?? 0) : (DEPTHS[depthCode] ?? -1);
  if (crc8(bytes, at, crcAt) !== bits.unsigned(8)) return undefined;
  if (assignment > 10 || bitDepth < 4 || blockSamples === 0 || sampleRate === 0) return undefined;
  const channels = assignment < 8 ? assignment + 1 : 2;
  return { sampleRate, channels, bitDepth, blockSamples, assignment, headerBytes: crcAt + 1 - at };
}

/** The frame's or first sample's number, coded like UTF-8; its value is not needed. */
function skipCodedNumber(bits: FlacBits): void {
  const first = bits.unsigned(8);
  const following = Math.max(0, Math.clz32(~(first << 24)) - 1);
  for (let i = 0; i < Math.min(following, 6); i++) bits.unsigned(8);
}

function readBlockSamples(bits: FlacBits, code: number): number {
  if (code === 0) return 0;
  if (code === 1) return 192;
  if (code <= 5) return 144 << code;
  if (code === 6) return bits.unsigned(8) + 1;
  return code === 7 ? bits.unsigned(16) + 1 : 1 << code;
}

function readRate(bits: FlacBits, code: number): number | undefined {
  if (code === 0) return undefined;
  if (code === 12) return bits.unsigned(8) * 1000;
  if (code === 13) return bits.unsigned(16);
  return code === 14 ? bits.unsigned(16) * 10 : (RATES[code] ?? 0);
}

/** No frame is longer: every sample written out, with a bit more for a side channel, and the frame's ends. */
export function longestFrameBytes(header: FlacHeader): number {
  const sampleBits = header.bitDepth + 1;
  return FLAC_HEADER_BYTES + header.channels * (8 + Math.ceil((header.blockSamples * sampleBits) / 8)) + 2;
}

/**
 * Decodes the frame that starts at `at` and says how many bytes it took.
 * Throws `OutOfBits` when the bytes end before the frame does, and `audio-malformed` for what no
 * encoder writes or a wrong checksum.
 */
export function decodeFlacFrame(
  bytes: Uint8Array,
  at: number,
  header: FlacHeader,
): { block: PcmBlock; frameBytes: number } {
  const bits = new FlacBits(bytes, at + header.headerBytes);
  const channels = readSubframes(bits, header, bytes.length);
  bits.alignToByte();
  const crcAt = bits.position;
  if (crcAt + 2 > bytes.length) throw new OutOfBits();
  if (crc16(bytes, at, crcAt) !== bits.unsigned(16)) malformed('its checksum is wrong');
  undoStereo(channels, header.assignment);
  const scale = 2 ** (1 - header.bitDepth);
  const block = {
    sampleRate: header.sampleRate,
    channels: channels.map((samples) => scaled(samples, scale)),
  };
  return { block, frameBytes: crcAt + 2 - at };
}

function readSubframes(bits: FlacBits, header: FlacHeader, endByte: number): Residual[] {
  try {
    return Array.from({ length: header.channels }, (_, c) => readSubframe(bits, header, c));
  } catch (error) {
    // What looks wrong at the very end is what the reader made up behind it.
    throw bits.position >= endByte ? new OutOfBits() : error;
  }
}

function scaled(samples: Residual, scale: number): Float32Array {
  const out = new Float32Array(samples.length);
  for (let i = 0; i < out.length; i++) out[i] = (samples[i] ?? 0) * scale;
  return out;
}

/** One channel (section 9.2). */
function readSubframe(bits: FlacBits, header: FlacHeader, channel: number): Residual {
  const sideBit = header.assignment === 9 ? channel === 0 : header.assignment >= 8 && channel === 1;
  bits.unsigned(1);
  const kind = bits.unsigned(6);
  const wasted = bits.unsigned(1) === 1 ? bits.unary() + 1 : 0;
  const sampleBits = header.bitDepth + (sideBit ? 1 : 0) - wasted;
  if (sampleBits < 1) malformed('it has no bits left for samples');
  const samples =
    header.bitDepth > 30 ? new Float64Array(header.blockSamples) : new Int32Array(header.blockSamples);
  if (kind === 0) samples.fill(bits.signed(sampleBits));
  else if (kind === 1) readPlain(bits, samples, sampleBits, samples.length);
  else if (kind >= 8 && kind <= 12) readFixed(bits, samples, sampleBits, kind - 8);
  else if (kind >= 32) readLinear(bits, samples, sampleBits, kind - 31);
  else malformed(`its predictor ${kind} is reserved`);
  if (wasted > 0) for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] ?? 0) * 2 ** wasted;
  return samples;
}

function readPlain(bits: FlacBits, samples: Residual, sampleBits: number, count: number): void {
  for (let i = 0; i < count; i++) samples[i] = bits.signed(sampleBits);
}

/** The fixed predictors are the linear ones with these coefficients (section 9.2.5). */
const FIXED = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

function readFixed(bits: FlacBits, samples: Residual, sampleBits: number, order: number): void {
  if (order > samples.length) malformed('its predictor is longer than the frame');
  readPlain(bits, samples, sampleBits, order);
  readResidual(bits, samples, order);
  predict(samples, FIXED[order] ?? [], 0);
}

function readLinear(bits: FlacBits, samples: Residual, sampleBits: number, order: number): void {
  if (order > samples.length) malformed('its predictor is longer than the frame');
  readPlain(bits, samples, sampleBits, order);
  const precision = bits.unsigned(4) + 1;
  const shift = bits.signed(5);
  if (precision === 16 || shift < 0) malformed('its predictor is none that encoders write');
  const coefficients = Array.from({ length: order }, () => bits.signed(precision));
  readResidual(bits, samples, order);
  predict(samples, coefficients, shift);
}

/**
 * Adds to each residual what the samples before it predict. Exact in doubles: 15-bit coefficients,
 * 33-bit samples and 32 terms stay below 2^53.
 */
function predict(samples: Residual, coefficients: readonly number[], shift: number): void {
  if (coefficients.length === 0) return;
  if (coefficients.length <= 8) predictShort(samples, coefficients, 2 ** -shift);
  else predictLong(samples, Float64Array.from(coefficients), 2 ** -shift);
}

/** Up to eight coefficients, as most encoders use: everything in registers, twice as fast as the loop below. */
function predictShort(samples: Residual, coefficients: readonly number[], scale: number): void {
  const order = coefficients.length;
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0, c6 = 0, c7 = 0] = coefficients;
  let [s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0] = samples.slice(0, order).reverse();
  for (let i = order; i < samples.length; i++) {
    const sum = c0 * s0 + c1 * s1 + c2 * s2 + c3 * s3 + c4 * s4 + c5 * s5 + c6 * s6 + c7 * s7;
    const sample = (samples[i] ?? 0) + Math.floor(sum * scale);
    samples[i] = sample;
    s7 = s6;
    s6 = s5;
    s5 = s4;
    s4 = s3;
    s3 = s2;
    s2 = s1;
    s1 = s0;
    s0 = sample;
  }
}

function predictLong(samples: Residual, coefficients: Float64Array, scale: number): void {
  const order = coefficients.length;
  for (let i = order; i < samples.length; i++) {
    let sum = 0;
    for (let j = 0; j < order; j++) sum += (coefficients[j] ?? 0) * (samples[i - 1 - j] ?? 0);
    samples[i] = (samples[i] ?? 0) + Math.floor(sum * scale);
  }
}

/** Partitioned Rice codes (section 9.2.7), behind the `order` warm-up samples. */
function readResidual(bits: FlacBits, samples: Residual, order: number): void {
  const method = bits.unsigned(2);
  if (method > 1) malformed('its residual is coded in a reserved way');
  const parameterBits = method === 0 ? 4 : 5;
  const escape = 2 ** parameterBits - 1;
  const partitions = 1 << bits.unsigned(4);
  const partitionSamples = samples.length / partitions;
  if (!Number.isInteger(partitionSamples) || partitionSamples < order) malformed('its partitions do not fit');
  for (let p = 0; p < partitions; p++) {
    const start = p === 0 ? order : p * partitionSamples;
    const end = (p + 1) * partitionSamples;
    const k = bits.unsigned(parameterBits);
    if (k < escape) {
      bits.rice(k, samples, start, end);
    } else {
      const plainBits = bits.unsigned(5);
      for (let i = start; i < end; i++) samples[i] = bits.signed(plainBits);
    }
  }
}

/** Section 4.2: left/side, side/right and mid/side back to left/right. */
function undoStereo([a, b]: Residual[], assignment: number): void {
  if (!a || !b || assignment < 8) return;
  for (let i = 0; i < a.length; i++) {
    const first = a[i] ?? 0;
    const second = b[i] ?? 0;
    if (assignment === 8) {
      b[i] = first - second;
    } else if (assignment === 9) {
      a[i] = first + second;
    } else {
      const odd = Math.abs(second) % 2;
      a[i] = (2 * first + odd + second) / 2;
      b[i] = (2 * first + odd - second) / 2;
    }
  }
}

function malformed(what: string): never {
  throw new AsrError('audio-malformed', `a FLAC frame is damaged: ${what}`);
}

// CRC-8, polynomial 0x07, and CRC-16, polynomial 0x8005, both from zero (section 9.1.8 and 9.3).
const CRC8 = Uint8Array.from({ length: 256 }, (_, byte) => crcOf(byte, 8, 0x07));
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => crcOf(byte, 16, 0x8005));

function crcOf(byte: number, width: number, polynomial: number): number {
  let crc = byte << (width - 8);
  for (let bit = 0; bit < 8; bit++) crc = crc & (1 << (width - 1)) ? (crc << 1) ^ polynomial : crc << 1;
  return crc & (2 ** width - 1);
}

function crc8(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = CRC8[crc ^ (bytes[i] ?? 0)] ?? 0;
  return crc;
}

function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    crc = ((crc << 8) & 0xffff) ^ (CRC16[(crc >> 8) ^ (bytes[i] ?? 0)] ?? 0);
  }
  return crc;
}
