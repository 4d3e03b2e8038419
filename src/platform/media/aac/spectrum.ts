// Quantized lines → spectrum: scale, noise, stereo, noise shaping (ISO/IEC 14496-3, 4.6).

import {
  EIGHT_SHORT,
  FRAME_LINES,
  INTENSITY,
  INTENSITY_OUT_OF_PHASE,
  NOISE,
  SHORT_LINES,
  type Channel,
  type NoiseShaper,
  type Windows,
} from './channel.ts';

/** |line|^(4/3) for every value a line can have. */
const POWER = Float64Array.from({ length: 8192 + 64 }, (_, line) => line ** (4 / 3));
/** Scale factors count quarter octaves from here. */
const SCALE_OFFSET = 100;

/** Where bands with noise take it from: the generator of "Numerical Recipes", from the seed that ffmpeg uses. */
export class NoiseSource {
  #state = 0x1f2e3d4c;

  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) | 0;
    return this.#state;
  }
}

/** Calls `visit` for each band of each window: its place in `books` and `scales`, and its lines. */
function eachBand(
  { groups, bandCount, bands }: Windows,
  visit: (place: number, start: number, end: number) => void,
): void {
  let firstWindow = 0;
  groups.forEach((groupWindows, g) => {
    for (let band = 0; band < bandCount; band++) {
      for (let w = firstWindow; w < firstWindow + groupWindows; w++) {
        const start = w * SHORT_LINES;
        visit(g * bandCount + band, start + (bands[band] ?? 0), start + (bands[band + 1] ?? 0));
      }
    }
    firstWindow += groupWindows;
  });
}

/** A channel's spectrum before stereo and noise shaping. */
export function scaledSpectrum({ windows, books, scales, lines }: Channel, noise: NoiseSource): Float64Array {
  const spectrum = new Float64Array(FRAME_LINES);
  eachBand(windows, (place, start, end) => {
    const book = books[place] ?? 0;
    const scale = scales[place] ?? 0;
    if (book === NOISE) return fillWithNoise(spectrum, start, end, 2 ** (scale / 4), noise);
    if (book === 0 || book > NOISE) return;
    const factor = 2 ** ((scale - SCALE_OFFSET) / 4);
    for (let i = start; i < end; i++) {
      const line = lines[i] ?? 0;
      const power = POWER[Math.abs(line)] ?? 0;
      spectrum[i] = (line < 0 ? -power : power) * factor;
    }
  });
  return spectrum;
}

function fillWithNoise(
  spectrum: Float64Array,
  start: number,
  end: number,
  level: number,
  noise: NoiseSource,
): void {
  let energy = 0;
  for (let i = start; i < end; i++) {
    const value = noise.next();
    spectrum[i] = value;
    energy += value * value;
  }
  const factor = level / Math.sqrt(energy || 1);
  for (let i = start; i < end; i++) spectrum[i] = (spectrum[i] ?? 0) * factor;
}

/** How a pair is coded: no band, the marked ones, or all as middle and side. */
export interface MiddleSide {
  readonly mode: 'none' | 'some' | 'all';
  readonly marks: Uint8Array;
}

/** Middle/side and intensity stereo of a pair with a common window. */
export function undoStereo(
  left: Float64Array,
  right: Float64Array,
  { books: leftBooks, windows }: Channel,
  { books, scales }: Channel,
  middleSide: MiddleSide,
): void {
  eachBand(windows, (place, start, end) => {
    const book = books[place] ?? 0;
    const marked = middleSide.mode === 'all' || middleSide.marks[place] === 1;
    if (book >= INTENSITY_OUT_OF_PHASE) {
      const inverted = (book === INTENSITY) === (middleSide.mode === 'some' && marked);
      const factor = (inverted ? -1 : 1) * 0.5 ** ((scales[place] ?? 0) / 4);
      for (let i = start; i < end; i++) right[i] = (left[i] ?? 0) * factor;
    } else if (marked && book < NOISE && (leftBooks[place] ?? 0) < NOISE) {
      for (let i = start; i < end; i++) {
        const middle = left[i] ?? 0;
        const side = right[i] ?? 0;
        left[i] = middle + side;
        right[i] = middle - side;
      }
    }
  });
}

/** Temporal noise shaping: an all-pole filter along the lines. */
export function shapeNoise(spectrum: Float64Array, { windows, shapers }: Channel): void {
  for (const shaper of shapers) runShaper(spectrum, windows, shaper);
}

function runShaper(spectrum: Float64Array, windows: Windows, shaper: NoiseShaper): void {
  const limit = Math.min(windows.shapedBands, windows.bandCount);
  const base = windows.sequence === EIGHT_SHORT ? shaper.window * SHORT_LINES : 0;
  const start = base + (windows.bands[Math.min(shaper.startBand, limit)] ?? 0);
  const end = base + (windows.bands[Math.min(shaper.endBand, limit)] ?? 0);
  const step = shaper.downward ? -1 : 1;
  const { coefficients } = shaper;
  for (let n = 0, i = shaper.downward ? end - 1 : start; n < end - start; n++, i += step) {
    let value = spectrum[i] ?? 0;
    for (let k = 0; k < Math.min(n, coefficients.length); k++) {
      value -= (coefficients[k] ?? 0) * (spectrum[i - step * (k + 1)] ?? 0);
    }
    spectrum[i] = value;
  }
}
