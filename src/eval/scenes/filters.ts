// Recursive filters of the scenes: Butterworth low- and high-passes as cascades of second-order
// sections (bilinear transform; R. Bristow-Johnson's "Audio EQ Cookbook" gives the section's formulas).

export type PassBand = 'low-pass' | 'high-pass';

/** Filters a copy of `samples`. `order` is even; the corner is at −3 dB. */
export function butterworth(
  samples: Float64Array,
  sampleRate: number,
  pass: PassBand,
  cornerHz: number,
  order: number,
): Float64Array {
  let filtered: Float64Array = Float64Array.from(samples);
  for (let pair = 0; pair < order / 2; pair++) {
    // The poles stand evenly spaced on a half circle; each pair is a section with its own quality.
    const quality = 1 / (2 * Math.cos((Math.PI * (2 * pair + 1)) / (2 * order)));
    filtered = section(filtered, coefficients(pass, cornerHz / sampleRate, quality));
  }
  return filtered;
}

interface Section {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

function coefficients(pass: PassBand, corner: number, quality: number): Section {
  const angle = 2 * Math.PI * corner;
  const alpha = Math.sin(angle) / (2 * quality);
  const cos = Math.cos(angle);
  const a0 = 1 + alpha;
  const edge = (pass === 'low-pass' ? 1 - cos : 1 + cos) / 2 / a0;
  return {
    b0: edge,
    b1: pass === 'low-pass' ? 2 * edge : -2 * edge,
    b2: edge,
    a1: (-2 * cos) / a0,
    a2: (1 - alpha) / a0,
  };
}

/** Direct form II, transposed; in place. */
function section(samples: Float64Array, { b0, b1, b2, a1, a2 }: Section): Float64Array {
  let first = 0;
  let second = 0;
  samples.forEach((x, i) => {
    const y = b0 * x + first;
    first = b1 * x - a1 * y + second;
    second = b2 * x - a2 * y;
    samples[i] = y;
  });
  return samples;
}

/** Half-width of the half-band filter below, in samples of the lower rate. */
const HALF_WIDTH = 24;

/** Half the rate: what lies above the new half rate is taken out first (Hann-windowed sinc). */
export function halveRate(samples: Float64Array): Float64Array {
  const halved = new Float64Array(Math.ceil(samples.length / 2));
  for (let i = 0; i < halved.length; i++) {
    let sum = 0;
    for (let k = -2 * HALF_WIDTH; k <= 2 * HALF_WIDTH; k++) {
      sum += (samples[2 * i + k] ?? 0) * (halfBand(k) / 2);
    }
    halved[i] = sum;
  }
  return halved;
}

/** Twice the rate, band-limited to the old half rate. `length` samples come out. */
export function doubleRate(samples: Float64Array, length: number): Float64Array {
  const doubled = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let k = -2 * HALF_WIDTH + (i % 2); k <= 2 * HALF_WIDTH; k += 2) {
      sum += (samples[(i - k) / 2] ?? 0) * halfBand(k);
    }
    doubled[i] = sum;
  }
  return doubled;
}

/** sin(πk/2)/(πk/2) under a Hann window. */
function halfBand(k: number): number {
  return HALF_BAND[Math.abs(k)] ?? 0;
}

const HALF_BAND = Float64Array.from({ length: 2 * HALF_WIDTH + 1 }, (_, k) => {
  const angle = (Math.PI * k) / 2;
  const sinc = k === 0 ? 1 : Math.sin(angle) / angle;
  return sinc * (0.5 + 0.5 * Math.cos((Math.PI * k) / (2 * HALF_WIDTH + 1)));
});
