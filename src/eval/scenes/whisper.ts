// A voice → a whisper: the throat's resonances stay, the vocal cords become breath.
//
// Linear prediction per 30 ms: the predictor (the resonances) is kept, the residual (the cords) is replaced by
// noise of the same power. Source: Makhoul, "Linear prediction: a tutorial review", Proc. IEEE 63 (1975).
//
// What it is not: a real whisper. A whispering speaker also raises the first formants, speaks more slowly
// and drops consonant voicing in ways of their own. Clips that are whispers already are used as they are,
// and the manifest says which of the two a clip is.

import { SAMPLE_RATE } from '../../signal/units.ts';
import type { SeededRandom } from '../seeded-random.ts';

const FRAME_SAMPLES = 480; // 30 ms
const HOP_SAMPLES = 240;
/** Two poles per kilohertz, and four for the slope. */
const ORDER = SAMPLE_RATE / 1000 + 4;
/** Whispers have little energy at low frequencies: the first difference is taken and not undone. */
const TILT = 0.85;
/** White noise under the analysis, 30 dB down: keeps resonances from ringing. */
const WHITENING = 1.001;

const HANN = Float64Array.from(
  { length: FRAME_SAMPLES },
  (_, i) => Math.sin((Math.PI * i) / FRAME_SAMPLES) ** 2,
);
const HANN_ENERGY = HANN.reduce((sum, weight) => sum + weight * weight, 0);

/** A whisper of the same length and timing as `speech` at 16 kHz. The level is not kept. */
export function whispered(speech: Float64Array, random: SeededRandom): Float64Array {
  const padded = new Float64Array(speech.length + 2 * FRAME_SAMPLES);
  speech.forEach((sample, i) => {
    padded[FRAME_SAMPLES + i] = sample - TILT * (speech[i - 1] ?? 0);
  });
  const breathed = new Float64Array(padded.length);
  for (let start = 0; start + FRAME_SAMPLES <= padded.length; start += HOP_SAMPLES) {
    const frame = HANN.map((weight, i) => weight * (padded[start + i] ?? 0));
    const { predictor, residualEnergy } = predict(autocorrelation(frame));
    const power = residualEnergy / HANN_ENERGY;
    const breath = HANN.map(() => random.normal() * Math.sqrt(power));
    resonate(breath, predictor).forEach((sample, i) => {
      breathed[start + i] = (breathed[start + i] ?? 0) + sample * (HANN[i] ?? 0);
    });
  }
  return breathed.slice(FRAME_SAMPLES, FRAME_SAMPLES + speech.length);
}

function autocorrelation(frame: Float64Array): Float64Array {
  return Float64Array.from({ length: ORDER + 1 }, (_, lag) => {
    let sum = 0;
    for (let i = lag; i < frame.length; i++) sum += (frame[i] ?? 0) * (frame[i - lag] ?? 0);
    return lag === 0 ? sum * WHITENING : sum;
  });
}

/** Levinson's and Durbin's recursion: x[n] ≈ Σ predictor[k]·x[n − 1 − k]. */
function predict(correlation: Float64Array): { predictor: Float64Array; residualEnergy: number } {
  let predictor = new Float64Array(ORDER);
  let error = correlation[0] ?? 0;
  if (error <= 1e-12) return { predictor, residualEnergy: 0 };
  for (let order = 0; order < ORDER; order++) {
    let sum = correlation[order + 1] ?? 0;
    for (let k = 0; k < order; k++) sum -= (predictor[k] ?? 0) * (correlation[order - k] ?? 0);
    const reflection = sum / error;
    const next = Float64Array.from(predictor);
    next[order] = reflection;
    for (let k = 0; k < order; k++) {
      next[k] = (predictor[k] ?? 0) - reflection * (predictor[order - 1 - k] ?? 0);
    }
    predictor = next;
    error *= 1 - reflection * reflection;
  }
  return { predictor, residualEnergy: Math.max(0, error) };
}

/** y[n] = x[n] + Σ predictor[k]·y[n − 1 − k], in place. */
function resonate(samples: Float64Array, predictor: Float64Array): Float64Array {
  for (let i = 0; i < samples.length; i++) {
    let sum = samples[i] ?? 0;
    for (let k = 0; k < Math.min(ORDER, i); k++) sum += (predictor[k] ?? 0) * (samples[i - 1 - k] ?? 0);
    samples[i] = sum;
  }
  return samples;
}
