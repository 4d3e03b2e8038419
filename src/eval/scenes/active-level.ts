// How loud speech is: the active speech level of ITU-T P.56 (method B), pauses left out.
//
//   |x| ─► two one-pole smoothers, 30 ms each ─► envelope q
//   for thresholds c, powers of two:  a(c) = samples with q ≥ c, each run prolonged by 200 ms
//   A(c) = 10·log10(energy / a(c))   falls from the long-term level's side as c rises
//   the level is A where A − 20·log10(c) = 15.9 dB, found by linear interpolation in dB
//
// Source: Recommendation ITU-T P.56 (12/2011), section 7. The recommendation's thresholds go from one step of
// the converter to half of full scale; ours are those of the same series that can matter, however quiet the
// recording is.

const SMOOTHING_SECONDS = 0.03;
const HANGOVER_SECONDS = 0.2;
const MARGIN_DB = 15.9;

export interface SpeechLevel {
  /** Level of the speech itself; −Infinity where there is none. Full scale is 1.0 (a square wave has 0 dBFS). */
  readonly activeDbfs: number;
  /** Level of the whole signal, pauses included. */
  readonly rmsDbfs: number;
  /** Share of the time that counts as speech. */
  readonly activity: number;
}

/** Measures samples at `sampleRate`. Digital silence has −Infinity and no activity. */
export function speechLevel(samples: Float32Array | Float64Array, sampleRate: number): SpeechLevel {
  let energy = 0;
  let peak = 0;
  for (const sample of samples) {
    energy += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  if (energy === 0) return { activeDbfs: -Infinity, rmsDbfs: -Infinity, activity: 0 };
  const rms = Math.sqrt(energy / samples.length);
  const thresholds = thresholdsBetween(rms * gainOf(-MARGIN_DB), peak);
  const activeDbfs = levelAtMargin(energy, thresholds, activeSamples(samples, sampleRate, thresholds));
  const rmsDbfs = 20 * Math.log10(rms);
  return { activeDbfs, rmsDbfs, activity: Math.min(1, 10 ** ((rmsDbfs - activeDbfs) / 10)) };
}

/**
 * The powers of two from just below `low` to just above `high`. A is never below the long-term level, so it
 * meets its threshold above that level less the margin.
 */
function thresholdsBetween(low: number, high: number): Float64Array {
  const first = Math.ceil(Math.log2(low)) - 1;
  const last = Math.ceil(Math.log2(high));
  return Float64Array.from({ length: last - first + 1 }, (_, j) => 2 ** (first + j));
}

/** Per threshold: samples whose envelope reaches it, and those up to 200 ms behind. */
function activeSamples(
  samples: Float32Array | Float64Array,
  sampleRate: number,
  thresholds: Float64Array,
): Float64Array {
  const keep = Math.exp(-1 / (sampleRate * SMOOTHING_SECONDS));
  const hangover = Math.round(sampleRate * HANGOVER_SECONDS);
  const counts = new Float64Array(thresholds.length);
  const lastAbove = new Float64Array(thresholds.length).fill(-Infinity);
  let smooth = 0;
  let envelope = 0;
  for (let i = 0; i < samples.length; i++) {
    smooth = keep * smooth + (1 - keep) * Math.abs(samples[i] ?? 0);
    envelope = keep * envelope + (1 - keep) * smooth;
    for (let j = 0; j < thresholds.length; j++) {
      if (envelope >= (thresholds[j] ?? 0)) lastAbove[j] = i;
      // Thresholds rise: where this one is out of reach and out of its hangover, so are the higher ones.
      else if (i - (lastAbove[j] ?? 0) > hangover) break;
      counts[j] = (counts[j] ?? 0) + 1;
    }
  }
  return counts;
}

function levelAtMargin(energy: number, thresholds: Float64Array, counts: Float64Array): number {
  let previous: { level: number; excess: number } | undefined;
  for (let j = 0; j < counts.length; j++) {
    const count = counts[j] ?? 0;
    if (count === 0) break;
    const level = 10 * Math.log10(energy / count);
    const excess = level - 20 * Math.log10(thresholds[j] ?? 1) - MARGIN_DB;
    if (excess <= 0) {
      if (previous === undefined) return level; // a click: hardly anything is active
      const share = previous.excess / (previous.excess - excess);
      return previous.level + share * (level - previous.level);
    }
    previous = { level, excess };
  }
  // The envelope never came up to the margin: a click again, or a few samples.
  return previous?.level ?? 10 * Math.log10(energy);
}

export function gainOf(decibels: number): number {
  return 10 ** (decibels / 20);
}
