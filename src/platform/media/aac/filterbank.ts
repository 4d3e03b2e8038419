// Spectrum → samples: inverse MDCT, windows, overlap with the packet before (ISO/IEC 14496-3, 4.6.11).

import { EIGHT_SHORT, FRAME_LINES, LONG_START, LONG_STOP, SHORT_LINES, type Windows } from './channel.ts';

/**
 * The inverse MDCT of `lines` values: a DCT of type IV by a complex FFT of half the size, unfolded to
 * twice as many samples.
 *
 *   y[n] = Σ X[k] · cos(π/N · (n + ½ + N/2) · (k + ½)),  N lines, n = 0 … 2N − 1
 */
export class InverseMdct {
  readonly #lines: number;
  readonly #turnRe: Float64Array;
  readonly #turnIm: Float64Array;
  readonly #rootRe: Float64Array;
  readonly #rootIm: Float64Array;
  readonly #order: Uint16Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #dct: Float64Array;

  constructor(lines: number) {
    const half = lines / 2;
    this.#lines = lines;
    const turn = (n: number): number => (-Math.PI * (n + 1 / 8)) / lines;
    this.#turnRe = Float64Array.from({ length: half }, (_, n) => Math.cos(turn(n)));
    this.#turnIm = Float64Array.from({ length: half }, (_, n) => Math.sin(turn(n)));
    this.#rootRe = Float64Array.from({ length: half / 2 }, (_, n) => Math.cos((-2 * Math.PI * n) / half));
    this.#rootIm = Float64Array.from({ length: half / 2 }, (_, n) => Math.sin((-2 * Math.PI * n) / half));
    const stages = Math.log2(half);
    this.#order = Uint16Array.from({ length: half }, (_, n) => {
      let reversed = 0;
      for (let bit = 0; bit < stages; bit++) reversed |= ((n >> bit) & 1) << (stages - 1 - bit);
      return reversed;
    });
    this.#re = new Float64Array(half);
    this.#im = new Float64Array(half);
    this.#dct = new Float64Array(lines);
  }

  /** `spectrum[from, from + lines)` → `out[0, 2 · lines)`. */
  transform(spectrum: Float64Array, from: number, out: Float64Array): void {
    this.#dctIV(spectrum, from);
    const dct = this.#dct;
    const n = this.#lines;
    const half = n / 2;
    for (let i = 0; i < half; i++) {
      out[i] = dct[half + i] ?? 0;
      out[3 * half + i] = -(dct[i] ?? 0);
    }
    for (let i = 0; i < n; i++) out[half + i] = -(dct[n - 1 - i] ?? 0);
  }

  #dctIV(spectrum: Float64Array, from: number): void {
    const n = this.#lines;
    const re = this.#re;
    const im = this.#im;
    for (let i = 0; i < n / 2; i++) {
      const a = spectrum[from + 2 * i] ?? 0;
      const b = spectrum[from + n - 1 - 2 * i] ?? 0;
      const c = this.#turnRe[i] ?? 0;
      const s = this.#turnIm[i] ?? 0;
      const to = this.#order[i] ?? 0;
      re[to] = a * c - b * s;
      im[to] = a * s + b * c;
    }
    this.#fft();
    for (let i = 0; i < n / 2; i++) {
      const a = re[i] ?? 0;
      const b = im[i] ?? 0;
      const c = this.#turnRe[i] ?? 0;
      const s = this.#turnIm[i] ?? 0;
      this.#dct[2 * i] = a * c - b * s;
      this.#dct[n - 1 - 2 * i] = -(a * s + b * c);
    }
  }

  /** In place, input in bit-reversed order. */
  #fft(): void {
    const re = this.#re;
    const im = this.#im;
    const size = re.length;
    for (let span = 1; span < size; span *= 2) {
      const stride = size / (2 * span);
      for (let k = 0; k < span; k++) {
        const c = this.#rootRe[k * stride] ?? 0;
        const s = this.#rootIm[k * stride] ?? 0;
        for (let i = k; i < size; i += 2 * span) {
          const j = i + span;
          const xr = re[j] ?? 0;
          const xi = im[j] ?? 0;
          const tr = xr * c - xi * s;
          const ti = xr * s + xi * c;
          const ar = re[i] ?? 0;
          const ai = im[i] ?? 0;
          re[j] = ar - tr;
          im[j] = ai - ti;
          re[i] = ar + tr;
          im[i] = ai + ti;
        }
      }
    }
  }
}

function sineSlope(length: number): Float64Array {
  return Float64Array.from({ length }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / (2 * length)));
}

/** Kaiser-Bessel derived: the running sum of a Kaiser window, so that squares of both slopes add up to 1. */
function kaiserSlope(length: number, alpha: number): Float64Array {
  const kaiser = (n: number): number => bessel0(Math.PI * alpha * Math.sqrt(1 - ((2 * n) / length - 1) ** 2));
  let sum = 0;
  const sums = Float64Array.from({ length: length + 1 }, (_, n) => (sum += kaiser(n)));
  return Float64Array.from({ length }, (_, n) => Math.sqrt((sums[n] ?? 0) / sum));
}

/** The modified Bessel function of the first kind and order 0, by its series. */
function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-18; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** Rising slopes by shape. */
const LONG_SLOPES = [sineSlope(FRAME_LINES), kaiserSlope(FRAME_LINES, 4)];
const SHORT_SLOPES = [sineSlope(SHORT_LINES), kaiserSlope(SHORT_LINES, 6)];

/** A long window beside short ones is flat for so long before its short slope. */
const FLAT = (FRAME_LINES - SHORT_LINES) / 2;

// 2/N with N twice the lines, and 16-bit full scale to 1.
const LONG_GAIN = 1 / FRAME_LINES / 32_768;
const SHORT_GAIN = 1 / SHORT_LINES / 32_768;

const longMdct = new InverseMdct(FRAME_LINES);
const shortMdct = new InverseMdct(SHORT_LINES);
const unfolded = new Float64Array(2 * FRAME_LINES);
const unfoldedShort = new Float64Array(2 * SHORT_LINES);

/** Joins one channel's packets: 1024 lines in, 1024 samples out. */
export class Filterbank {
  /** The second half of the packet before, windowed. */
  readonly #tail = new Float64Array(FRAME_LINES);
  #lastShape = 0;

  join(spectrum: Float64Array, { sequence, shape }: Windows): Float32Array {
    const time =
      sequence === EIGHT_SHORT ? this.#short(spectrum, shape) : this.#long(spectrum, sequence, shape);
    this.#lastShape = shape;
    const samples = new Float32Array(FRAME_LINES);
    for (let n = 0; n < FRAME_LINES; n++) {
      samples[n] = (time[n] ?? 0) + (this.#tail[n] ?? 0);
      this.#tail[n] = time[FRAME_LINES + n] ?? 0;
    }
    return samples;
  }

  #long(spectrum: Float64Array, sequence: number, shape: number): Float64Array {
    longMdct.transform(spectrum, 0, unfolded);
    if (sequence === LONG_STOP) rise(unfolded, FLAT, SHORT_SLOPES[this.#lastShape], LONG_GAIN);
    else rise(unfolded, 0, LONG_SLOPES[this.#lastShape], LONG_GAIN);
    if (sequence === LONG_START) fall(unfolded, FLAT, SHORT_SLOPES[shape], LONG_GAIN);
    else fall(unfolded, 0, LONG_SLOPES[shape], LONG_GAIN);
    return unfolded;
  }

  #short(spectrum: Float64Array, shape: number): Float64Array {
    unfolded.fill(0);
    for (let w = 0; w < 8; w++) {
      shortMdct.transform(spectrum, w * SHORT_LINES, unfoldedShort);
      rise(unfoldedShort, 0, SHORT_SLOPES[w === 0 ? this.#lastShape : shape], SHORT_GAIN);
      fall(unfoldedShort, 0, SHORT_SLOPES[shape], SHORT_GAIN);
      const at = FLAT + w * SHORT_LINES;
      for (let n = 0; n < 2 * SHORT_LINES; n++)
        unfolded[at + n] = (unfolded[at + n] ?? 0) + (unfoldedShort[n] ?? 0);
    }
    return unfolded;
  }
}

/** Windows the first half of `time`: nothing for `flat` samples, the slope, then everything. */
function rise(time: Float64Array, flat: number, slope: Float64Array | undefined, gain: number): void {
  const length = slope?.length ?? 0;
  for (let n = 0; n < time.length / 2; n++) {
    const weight = n < flat ? 0 : n < flat + length ? (slope?.[n - flat] ?? 0) : 1;
    time[n] = (time[n] ?? 0) * weight * gain;
  }
}

/** Windows the second half: the mirror image of `rise`. */
function fall(time: Float64Array, flat: number, slope: Float64Array | undefined, gain: number): void {
  const length = slope?.length ?? 0;
  for (let n = 0; n < time.length / 2; n++) {
    const weight = n < flat ? 0 : n < flat + length ? (slope?.[n - flat] ?? 0) : 1;
    const at = time.length - 1 - n;
    time[at] = (time[at] ?? 0) * weight * gain;
  }
}
