// Any sample rate → 16 kHz, while the sound arrives.
//
// Output n stands at time n/16000, which lies between input samples; its value is what a low-pass
// filter (a sinc under a Kaiser window) of the input gives at exactly that time. The rates being
// whole numbers, the places between input samples repeat after L = outputRate/gcd outputs: one row of
// coefficients for each (a polyphase filter), so nothing is interpolated and nothing drifts.
//
//   pass band   0 … 91.25 % of the lower rate's half   (0 … 7300 Hz from 16 kHz up), flat within 0.001 dB
//   stop band   from the lower rate's half on          (8000 Hz): −100 dB; nothing folds back
//   delay       none: the filter's is taken off; it needs `reachSamples` of input beyond an output
//   length      ⌈inputs · outputRate / inputRate⌉: every output whose time lies within the input
//
// Source of the design: Kaiser's formulas, as in Oppenheim & Schafer, "Discrete-Time Signal
// Processing", section 7.5; pass band as in soxr's "HQ".

import { assert } from '../errors.ts';
import { SAMPLE_RATE } from './units.ts';

const PASS_BAND = 0.9125;
const STOP_BAND_DB = 100;
const KAISER_BETA = 0.1102 * (STOP_BAND_DB - 8.7);

/** 2 MB of coefficients. Odd rates that would need more (L in the thousands) interpolate between rows. */
const MAX_COEFFICIENTS = 2 ** 18;
/** Rows per sample at the lower rate when interpolating: an error of (π/512)²/8, −106 dB. */
const INTERPOLATED_ROWS = 512;
/** Input taken in at once, so that the buffer stays in the cache. */
const INTAKE_SAMPLES = 2048;

export class Resampler {
  readonly inputRate: number;
  readonly outputRate: number;
  /** How far (in input samples) an output looks ahead and back; 0 when the rates are equal. */
  readonly reachSamples: number;

  readonly #filter: PolyphaseFilter | undefined;
  // Time of the next output = (next + phase/up) input samples, next counted in the buffer.
  readonly #up: number;
  readonly #stepWhole: number;
  readonly #stepPhase: number;
  #phase = 0;
  #next: number;
  readonly #buffer: Float32Array;
  #filled: number;
  #inputs = 0;
  #outputs = 0;
  #finished = false;

  /** Rates are whole numbers of samples per second. */
  constructor(inputRate: number, outputRate = SAMPLE_RATE) {
    assert(Number.isInteger(inputRate) && inputRate > 0, 'the input rate is a whole number');
    assert(Number.isInteger(outputRate) && outputRate > 0, 'the output rate is a whole number');
    this.inputRate = inputRate;
    this.outputRate = outputRate;
    const common = greatestCommonDivisor(inputRate, outputRate);
    this.#up = outputRate / common;
    const down = inputRate / common;
    this.#stepWhole = Math.floor(down / this.#up);
    this.#stepPhase = down % this.#up;
    this.#filter = inputRate === outputRate ? undefined : designFilter(inputRate, outputRate, this.#up);
    this.reachSamples = this.#filter?.reach ?? 0;
    // Before the first sample there is silence.
    this.#next = this.#filled = Math.max(this.reachSamples - 1, 0);
    this.#buffer = new Float32Array(2 * this.reachSamples + INTAKE_SAMPLES);
  }

  /** Outputs that `inputs` inputs make in all. */
  static lengthAfter(inputs: number, inputRate: number, outputRate = SAMPLE_RATE): number {
    const common = greatestCommonDivisor(inputRate, outputRate);
    return Math.ceil((inputs * (outputRate / common)) / (inputRate / common));
  }

  /** The most outputs that one push of `inputs` inputs, or `finish` (0 inputs), can make. */
  maxOutputs(inputs: number): number {
    return Resampler.lengthAfter(inputs + this.reachSamples, this.inputRate, this.outputRate) + 1;
  }

  /**
   * Takes the first `count` samples of `input`, writes the outputs that became known to `output` and
   * returns how many. Allocates nothing; the outputs are the same, bit for bit, for any block sizes.
   */
  push(input: Float32Array, output: Float32Array, count = input.length): number {
    assert(!this.#finished, 'a finished resampler takes no more');
    this.#inputs += count;
    if (this.#filter !== undefined) return this.#resample(this.#filter, input, count, output);
    for (let i = 0; i < count; i++) output[i] = input[i]!;
    return count;
  }

  /** The input is over: writes the outputs that were still waiting for more. */
  finish(output: Float32Array): number {
    assert(!this.#finished, 'a resampler finishes once');
    this.#finished = true;
    if (this.#filter === undefined) return 0;
    const made = this.#resample(this.#filter, new Float32Array(this.reachSamples), this.reachSamples, output);
    // Silence made them all, and perhaps one whose time lies behind the input.
    const total = Resampler.lengthAfter(this.#inputs, this.inputRate, this.outputRate);
    return made - Math.max(this.#outputs - total, 0);
  }

  #resample(filter: PolyphaseFilter, input: Float32Array, count: number, output: Float32Array): number {
    const buffer = this.#buffer;
    const before = this.#outputs;
    for (let at = 0; at < count;) {
      const taken = Math.min(count - at, buffer.length - this.#filled);
      for (let i = 0; i < taken; i++) buffer[this.#filled + i] = input[at + i]!;
      this.#filled += taken;
      at += taken;
      this.#makeOutputs(filter, output, before);
      this.#dropUsed(filter.reach);
    }
    return this.#outputs - before;
  }

  #makeOutputs(filter: PolyphaseFilter, output: Float32Array, before: number): void {
    const { reach } = filter;
    let next = this.#next;
    let phase = this.#phase;
    let made = this.#outputs - before;
    for (; next + reach < this.#filled; next += this.#stepWhole) {
      filter.write(this.#buffer, next - reach + 1, phase, output, made++);
      phase += this.#stepPhase;
      if (phase >= this.#up) {
        phase -= this.#up;
        next++;
      }
    }
    assert(made <= output.length, 'outputs have room');
    this.#next = next;
    this.#phase = phase;
    this.#outputs = before + made;
  }

  #dropUsed(reach: number): void {
    const used = Math.min(this.#next - reach + 1, this.#filled);
    if (used <= 0) return;
    this.#buffer.copyWithin(0, used, this.#filled);
    this.#filled -= used;
    this.#next -= used;
  }
}

/** A filter's impulse response, sampled at the places where outputs fall between inputs. */
interface PolyphaseFilter {
  /** Coefficients to each side of an output's time; a row has 2·reach. */
  readonly reach: number;
  /**
   * Writes to output[to] the output whose filter covers `samples` from `from` on and whose time is
   * phase/up of an input behind input `from + reach − 1`. (It writes, because a number that is
   * returned may be allocated.)
   */
  write(samples: Float32Array, from: number, phase: number, output: Float32Array, to: number): void;
}

function designFilter(inputRate: number, outputRate: number, up: number): PolyphaseFilter {
  const lower = Math.min(inputRate, outputRate);
  const stopHz = lower / 2;
  const passHz = PASS_BAND * stopHz;
  const cutoff = (passHz + stopHz) / inputRate; // twice the middle frequency, per input sample
  const transition = (2 * Math.PI * (stopHz - passHz)) / inputRate;
  const length = (STOP_BAND_DB - 7.95) / (2.285 * transition);
  const reach = 2 * Math.ceil(length / 4); // even, so that rows divide by four
  const response = (t: number): number =>
    Math.abs(t) >= reach ? 0 : sinc(cutoff * t) * bessel0(KAISER_BETA * Math.sqrt(1 - (t / reach) ** 2));
  if (up * 2 * reach <= MAX_COEFFICIENTS) return exactFilter(rowsOf(response, reach, up, up), reach);
  const rows = Math.max(Math.ceil((INTERPOLATED_ROWS * lower) / inputRate), 2);
  return interpolatingFilter(rowsOf(response, reach, rows, rows + 1), reach, rows / up);
}

/** Row r holds the response r/steps of a sample after the input sample it is centered on; each sums to 1. */
function rowsOf(response: (t: number) => number, reach: number, steps: number, rows: number): Float64Array {
  const width = 2 * reach;
  const table = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += table[r * width + k] = response(k - (reach - 1) - r / steps);
    for (let k = 0; k < width; k++) table[r * width + k] = table[r * width + k]! / sum;
  }
  return table;
}

function exactFilter(table: Float64Array, reach: number): PolyphaseFilter {
  const width = 2 * reach;
  return {
    reach,
    write(samples, from, phase, output, to) {
      convolve(samples, from, table, phase * width, width, output, to);
    },
  };
}

function interpolatingFilter(table: Float64Array, reach: number, rowsPerPhase: number): PolyphaseFilter {
  const width = 2 * reach;
  const ends = new Float64Array(2);
  return {
    reach,
    write(samples, from, phase, output, to) {
      const row = Math.floor(phase * rowsPerPhase);
      const between = phase * rowsPerPhase - row;
      convolve(samples, from, table, row * width, width, ends, 0);
      convolve(samples, from, table, (row + 1) * width, width, ends, 1);
      output[to] = ends[0]! + between * (ends[1]! - ends[0]!);
    },
  };
}

/** output[to] = Σ samples[from + k]·table[row + k]. Four sums side by side: one would wait for each addition. */
function convolve(
  samples: Float32Array,
  from: number,
  table: Float64Array,
  row: number,
  width: number,
  output: Float32Array | Float64Array,
  to: number,
): void {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let k = 0; k < width; k += 4) {
    a += samples[from + k]! * table[row + k]!;
    b += samples[from + k + 1]! * table[row + k + 1]!;
    c += samples[from + k + 2]! * table[row + k + 2]!;
    d += samples[from + k + 3]! * table[row + k + 3]!;
  }
  output[to] = a + b + c + d;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function I₀, by its power series: Σ ((x/2)ᵏ/k!)². */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
