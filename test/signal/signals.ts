// Sounds by formula, as the goldens use them.

import { joinFloats } from '../../src/bytes.ts';
import { SAMPLE_RATE } from '../../src/signal/units.ts';

export function sine(hz: number, samples: number, amplitude = 1, rate = SAMPLE_RATE): Float32Array {
  return Float32Array.from(
    { length: samples },
    (_, n) => amplitude * Math.sin((2 * Math.PI * hz * n) / rate),
  );
}

/** White noise in [−amplitude, amplitude], always the same (a linear congruential generator). */
export function whiteNoise(samples: number, amplitude: number, seed = 12_345): Float32Array {
  let state = seed;
  return Float32Array.from({ length: samples }, () => {
    state = Number((1_103_515_245n * BigInt(state) + 12_345n) % 2n ** 31n);
    return amplitude * ((2 * Math.floor(state / 256)) / 2 ** 23 - 1);
  });
}

export function rmsDb(samples: ArrayLike<number>, from = 0, to = samples.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += samples[i]! ** 2;
  return 10 * Math.log10(sum / (to - from));
}

export function atLevel(samples: Float32Array, db: number): Float32Array {
  const factor = 10 ** ((db - rmsDb(samples)) / 20);
  return samples.map((x) => x * factor);
}

export function mix(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((x, i) => x + (b[i] ?? 0));
}

export function concat(...parts: readonly Float32Array[]): Float32Array {
  return joinFloats(parts);
}

/** Cuts a signal into blocks of the given sizes, again and again. */
export function* inBlocks(samples: Float32Array, sizes: readonly number[]): Generator<Float32Array> {
  for (let at = 0, i = 0; at < samples.length; i++) {
    const size = Math.max(sizes[i % sizes.length]!, 1);
    yield samples.subarray(at, at + size);
    at += size;
  }
}

/** The largest difference between two signals of one length. */
export function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}
