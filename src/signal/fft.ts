// The power spectrum of 400 real samples. The plan holds all tables and buffers; a call allocates nothing.
//
// The samples are read as 200 complex numbers (even samples real, odd ones imaginary), transformed
// in three Stockham passes (200 = 8 · 5 · 5; no reordering), and the spectra of even and odd samples
// are told apart again. Sources: Van Loan, "Computational Frameworks for the Fast Fourier Transform"
// (1992), sections 1.7 (Stockham) and 4.3 (real data); Nussbaumer (1981) for the small transforms.
//
// Why not a general size: the features need this one (SPEED.md, "Signal path").

import { assert } from '../errors.ts';
import { doubles } from './doubles.ts';

export const FFT_SIZE = 400;
export const SPECTRUM_BINS = FFT_SIZE / 2 + 1; // 201: 0 … 8000 Hz in steps of 40 Hz
const POINTS = FFT_SIZE / 2; // complex

export class RealFft {
  readonly #window: readonly number[];
  readonly #one = doubles(FFT_SIZE);
  readonly #other = doubles(FFT_SIZE);

  /** `window`: what each of the 400 samples is multiplied by first. */
  constructor(window: readonly number[]) {
    assert(window.length === FFT_SIZE, 'the window has a factor per sample');
    this.#window = window;
  }

  /**
   * |X[k]|² for k = 0…200, X[k] = Σ x[n]·e^(−2πikn/400), of the 400 windowed samples from `at` on, into
   * `power`.
   */
  powerSpectrum(samples: Float32Array, at: number, power: number[]): void {
    pass8(samples, at, this.#window, this.#one);
    pass5(this.#one, this.#other, TWIDDLES_5, 5, 8);
    pass5(this.#other, this.#one, TWIDDLES_1, 1, 40);
    powerOfReal(this.#one, power);
  }
}

const COS = doubles(POINTS / 2 + 1, (k) => Math.cos((2 * Math.PI * k) / FFT_SIZE));
const SIN = doubles(POINTS / 2 + 1, (k) => Math.sin((2 * Math.PI * k) / FFT_SIZE));

/** Told apart: X[k] = E + W·O and X[200 − k] = conj(E − W·O), E and O being the spectra of even and odd samples. */
function powerOfReal(z: readonly number[], power: number[]): void {
  power[0] = (z[0]! + z[1]!) ** 2;
  power[POINTS] = (z[0]! - z[1]!) ** 2;
  for (let k = 1, mirror = POINTS - 1; k <= mirror; k++, mirror--) {
    const evenRe = 0.5 * (z[2 * k]! + z[2 * mirror]!);
    const evenIm = 0.5 * (z[2 * k + 1]! - z[2 * mirror + 1]!);
    const oddRe = 0.5 * (z[2 * k + 1]! + z[2 * mirror + 1]!);
    const oddIm = 0.5 * (z[2 * mirror]! - z[2 * k]!);
    const turnedRe = oddRe * COS[k]! + oddIm * SIN[k]!;
    const turnedIm = oddIm * COS[k]! - oddRe * SIN[k]!;
    power[k] = (evenRe + turnedRe) ** 2 + (evenIm + turnedIm) ** 2;
    power[mirror] = (evenRe - turnedRe) ** 2 + (evenIm - turnedIm) ** 2;
  }
}

/** cos and sin of −2π·p·j/(radix·groups), for group p and output j = 1…radix−1. */
function twiddles(radix: number, groups: number): number[] {
  const table = doubles(groups * (radix - 1) * 2);
  for (let p = 0, t = 0; p < groups; p++) {
    for (let j = 1; j < radix; j++) {
      const angle = (-2 * Math.PI * p * j) / (radix * groups);
      table[t++] = Math.cos(angle);
      table[t++] = Math.sin(angle);
    }
  }
  return table;
}

const TWIDDLES_25 = twiddles(8, 25);
const TWIDDLES_5 = twiddles(5, 5);
const TWIDDLES_1 = twiddles(5, 1); // all 1

/** to[y] = (re + i·im) times the twiddle at `t`. */
function turn(to: number[], y: number, re: number, im: number, table: readonly number[], t: number): void {
  const cos = table[t]!;
  const sin = table[t + 1]!;
  to[y] = re * cos - im * sin;
  to[y + 1] = re * sin + im * cos;
}

const HALF_ROOT = Math.SQRT1_2;

/** The first pass, the window on its way: 25 transforms of 8 points each, 25 points apart. */
function pass8(samples: Float32Array, at: number, window: readonly number[], to: number[]): void {
  const table = TWIDDLES_25;
  const step = 2 * 25;
  for (let p = 0; p < 25; p++) {
    const a = 2 * p;
    const point0Re = samples[at + a]! * window[a]!;
    const point0Im = samples[at + a + 1]! * window[a + 1]!;
    const point1Re = samples[at + a + step]! * window[a + step]!;
    const point1Im = samples[at + a + step + 1]! * window[a + step + 1]!;
    const point2Re = samples[at + a + 2 * step]! * window[a + 2 * step]!;
    const point2Im = samples[at + a + 2 * step + 1]! * window[a + 2 * step + 1]!;
    const point3Re = samples[at + a + 3 * step]! * window[a + 3 * step]!;
    const point3Im = samples[at + a + 3 * step + 1]! * window[a + 3 * step + 1]!;
    const point4Re = samples[at + a + 4 * step]! * window[a + 4 * step]!;
    const point4Im = samples[at + a + 4 * step + 1]! * window[a + 4 * step + 1]!;
    const point5Re = samples[at + a + 5 * step]! * window[a + 5 * step]!;
    const point5Im = samples[at + a + 5 * step + 1]! * window[a + 5 * step + 1]!;
    const point6Re = samples[at + a + 6 * step]! * window[a + 6 * step]!;
    const point6Im = samples[at + a + 6 * step + 1]! * window[a + 6 * step + 1]!;
    const point7Re = samples[at + a + 7 * step]! * window[a + 7 * step]!;
    const point7Im = samples[at + a + 7 * step + 1]! * window[a + 7 * step + 1]!;
    // Point n and point n + 4: their sum feeds the even outputs, their difference the odd ones.
    const sum0Re = point0Re + point4Re;
    const sum0Im = point0Im + point4Im;
    const dif0Re = point0Re - point4Re;
    const dif0Im = point0Im - point4Im;
    const sum1Re = point1Re + point5Re;
    const sum1Im = point1Im + point5Im;
    const dif1Re = point1Re - point5Re;
    const dif1Im = point1Im - point5Im;
    const sum2Re = point2Re + point6Re;
    const sum2Im = point2Im + point6Im;
    const dif2Re = point2Re - point6Re;
    const dif2Im = point2Im - point6Im;
    const sum3Re = point3Re + point7Re;
    const sum3Im = point3Im + point7Im;
    const dif3Re = point3Re - point7Re;
    const dif3Im = point3Im - point7Im;
    const y = 16 * p;
    const t = 14 * p;

    const even0Re = sum0Re + sum2Re;
    const even0Im = sum0Im + sum2Im;
    const even1Re = sum0Re - sum2Re;
    const even1Im = sum0Im - sum2Im;
    const even2Re = sum1Re + sum3Re;
    const even2Im = sum1Im + sum3Im;
    const even3Re = sum1Re - sum3Re;
    const even3Im = sum1Im - sum3Im;
    to[y] = even0Re + even2Re;
    to[y + 1] = even0Im + even2Im;
    turn(to, y + 4, even1Re + even3Im, even1Im - even3Re, table, t + 2);
    turn(to, y + 8, even0Re - even2Re, even0Im - even2Im, table, t + 6);
    turn(to, y + 12, even1Re - even3Im, even1Im + even3Re, table, t + 10);

    // Differences 1 and 3 turned by an eighth and three eighths of a circle, 2 by a quarter.
    const turned1Re = HALF_ROOT * (dif1Re + dif1Im);
    const turned1Im = HALF_ROOT * (dif1Im - dif1Re);
    const turned3Re = HALF_ROOT * (dif3Im - dif3Re);
    const turned3Im = -HALF_ROOT * (dif3Re + dif3Im);
    const odd0Re = dif0Re + dif2Im;
    const odd0Im = dif0Im - dif2Re;
    const odd1Re = dif0Re - dif2Im;
    const odd1Im = dif0Im + dif2Re;
    const odd2Re = turned1Re + turned3Re;
    const odd2Im = turned1Im + turned3Im;
    const odd3Re = turned1Re - turned3Re;
    const odd3Im = turned1Im - turned3Im;
    turn(to, y + 2, odd0Re + odd2Re, odd0Im + odd2Im, table, t);
    turn(to, y + 6, odd1Re + odd3Im, odd1Im - odd3Re, table, t + 4);
    turn(to, y + 10, odd0Re - odd2Re, odd0Im - odd2Im, table, t + 8);
    turn(to, y + 14, odd1Re - odd3Im, odd1Im + odd3Re, table, t + 12);
  }
}

const COS_1 = Math.cos((2 * Math.PI) / 5);
const COS_2 = Math.cos((4 * Math.PI) / 5);
const SIN_1 = Math.sin((2 * Math.PI) / 5);
const SIN_2 = Math.sin((4 * Math.PI) / 5);

/** `groups` groups (one set of twiddles each) of `stride` transforms of 5 points. */
function pass5(
  from: readonly number[],
  to: number[],
  table: readonly number[],
  groups: number,
  stride: number,
): void {
  const step = 2 * stride * groups;
  const out = 2 * stride;
  for (let p = 0; p < groups; p++) {
    const t = 8 * p;
    const end = out * (p + 1);
    for (let a = out * p, y = 5 * out * p; a < end; a += 2, y += 2) {
      const re0 = from[a]!;
      const im0 = from[a + 1]!;
      const sum14Re = from[a + step]! + from[a + 4 * step]!;
      const sum14Im = from[a + step + 1]! + from[a + 4 * step + 1]!;
      const dif14Re = from[a + step]! - from[a + 4 * step]!;
      const dif14Im = from[a + step + 1]! - from[a + 4 * step + 1]!;
      const sum23Re = from[a + 2 * step]! + from[a + 3 * step]!;
      const sum23Im = from[a + 2 * step + 1]! + from[a + 3 * step + 1]!;
      const dif23Re = from[a + 2 * step]! - from[a + 3 * step]!;
      const dif23Im = from[a + 2 * step + 1]! - from[a + 3 * step + 1]!;
      const even1Re = re0 + COS_1 * sum14Re + COS_2 * sum23Re;
      const even1Im = im0 + COS_1 * sum14Im + COS_2 * sum23Im;
      const even2Re = re0 + COS_2 * sum14Re + COS_1 * sum23Re;
      const even2Im = im0 + COS_2 * sum14Im + COS_1 * sum23Im;
      const odd1Re = SIN_1 * dif14Re + SIN_2 * dif23Re;
      const odd1Im = SIN_1 * dif14Im + SIN_2 * dif23Im;
      const odd2Re = SIN_2 * dif14Re - SIN_1 * dif23Re;
      const odd2Im = SIN_2 * dif14Im - SIN_1 * dif23Im;
      to[y] = re0 + sum14Re + sum23Re;
      to[y + 1] = im0 + sum14Im + sum23Im;
      turn(to, y + out, even1Re + odd1Im, even1Im - odd1Re, table, t);
      turn(to, y + 2 * out, even2Re + odd2Im, even2Im - odd2Re, table, t + 2);
      turn(to, y + 3 * out, even2Re - odd2Im, even2Im + odd2Re, table, t + 4);
      turn(to, y + 4 * out, even1Re - odd1Im, even1Im + odd1Re, table, t + 6);
    }
  }
}
