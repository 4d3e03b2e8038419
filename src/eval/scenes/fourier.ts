// The discrete Fourier transform of any power of two, for the scenes' long room responses and colored
// noise. (The features have a faster one of their own size in signal/fft.ts.)

/** A signal as complex numbers, real and imaginary parts apart. */
export interface Spectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** The least power of two that is not below `count`. */
export function powerOfTwo(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, count)));
}

/** X[k] = Σ x[n]·e^(−2πikn/N) of `samples`, zero-padded to `size` (a power of two). */
export function spectrumOf(samples: Float64Array, size: number): Spectrum {
  const re = new Float64Array(size);
  re.set(samples);
  const spectrum = { re, im: new Float64Array(size) };
  transform(spectrum);
  return spectrum;
}

/** The real signal with this spectrum. The spectrum is used up. */
export function signalOf({ re, im }: Spectrum): Float64Array {
  // The inverse is the transform with both parts exchanged, over N.
  transform({ re: im, im: re });
  return re.map((value) => value / re.length);
}

/** All of `samples` * `response`: as long as both together, less one. */
export function convolve(samples: Float64Array, response: Float64Array): Float64Array {
  const length = samples.length + response.length - 1;
  const size = powerOfTwo(length);
  const a = spectrumOf(samples, size);
  const b = spectrumOf(response, size);
  for (let k = 0; k < size; k++) {
    const [aRe, aIm, bRe, bIm] = [a.re[k] ?? 0, a.im[k] ?? 0, b.re[k] ?? 0, b.im[k] ?? 0];
    a.re[k] = aRe * bRe - aIm * bIm;
    a.im[k] = aRe * bIm + aIm * bRe;
  }
  return signalOf(a).slice(0, length);
}

/** In place: bit-reversed order, then butterflies (Cooley and Tukey, radix 2). */
function transform(spectrum: Spectrum): void {
  reorder(spectrum);
  const size = spectrum.re.length;
  for (let half = 1; half < size; half *= 2) {
    const cos = Float64Array.from({ length: half }, (_, j) => Math.cos((Math.PI * j) / half));
    const sin = Float64Array.from({ length: half }, (_, j) => -Math.sin((Math.PI * j) / half));
    for (let start = 0; start < size; start += 2 * half) butterflies(spectrum, start, half, cos, sin);
  }
}

function butterflies(
  { re, im }: Spectrum,
  start: number,
  half: number,
  cos: Float64Array,
  sin: Float64Array,
): void {
  for (let j = 0; j < half; j++) {
    const low = start + j;
    const high = low + half;
    const [highRe, highIm, c, s] = [re[high] ?? 0, im[high] ?? 0, cos[j] ?? 0, sin[j] ?? 0];
    const turnedRe = highRe * c - highIm * s;
    const turnedIm = highRe * s + highIm * c;
    const [lowRe, lowIm] = [re[low] ?? 0, im[low] ?? 0];
    re[low] = lowRe + turnedRe;
    im[low] = lowIm + turnedIm;
    re[high] = lowRe - turnedRe;
    im[high] = lowIm - turnedIm;
  }
}

function reorder({ re, im }: Spectrum): void {
  const size = re.length;
  for (let i = 1, reversed = 0; i < size; i++) {
    let bit = size >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (i < reversed) {
      for (const part of [re, im]) {
        const kept = part[i] ?? 0;
        part[i] = part[reversed] ?? 0;
        part[reversed] = kept;
      }
    }
  }
}
