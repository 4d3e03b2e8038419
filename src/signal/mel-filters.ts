// Triangular mel filters on the Slaney scale with Slaney area normalization: what WhisperFeatureExtractor
// uses and librosa calls `htk=False, norm='slaney'`. See MODEL.md, "Features".
//
//        band 0    band 1    band 2
//          ╱╲        ╱╲        ╱╲         edges h[0] … h[bands + 1], equally spaced in mel;
//       ╱      ╲  ╱      ╲  ╱      ╲      band b rises from h[b] to h[b + 1] and falls to h[b + 2]
//     h[0]    h[1]      h[2]      h[3]
//
// Between two edges one band falls and the next one rises, so a spectrum bin feeds at most two bands.
//
// Source: Slaney, "Auditory Toolbox" (1998): linear below 1 kHz, logarithmic above. Any number of
// bands comes from the formula; 128 is GLM-ASR's.

const LINEAR_HZ_PER_MEL = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / LINEAR_HZ_PER_MEL; // 15
const LOG_STEP = Math.log(6.4) / 27; //            27 mels from 1 kHz to 6.4 kHz

/** What each spectrum bin gives to its two bands. */
export interface MelFilters {
  readonly bands: number;
  /** Bin k lies between edges h[edge[k]] and h[edge[k] + 1]: band edge[k] − 1 falls there, band edge[k] rises. */
  readonly edge: Int32Array;
  readonly falling: Float64Array;
  readonly rising: Float64Array;
}

/** `bands` filters from 0 Hz to half the sample rate, for the power spectrum of `fftSize` samples. */
export function melFilters(bands: number, fftSize: number, sampleRate: number): MelFilters {
  const bins = fftSize / 2 + 1;
  const topMel = hzToMel(sampleRate / 2);
  const edgesHz = Array.from({ length: bands + 2 }, (_, i) => melToHz((topMel * i) / (bands + 1)));
  const edge = new Int32Array(bins);
  const falling = new Float64Array(bins);
  const rising = new Float64Array(bins);
  for (let k = 0, e = 0; k < bins; k++) {
    const hz = (k * sampleRate) / fftSize;
    while (e < bands && hz >= edgesHz[e + 1]!) e++;
    const low = edgesHz[e]!;
    const high = edgesHz[e + 1]!;
    edge[k] = e;
    // A band's area is 1: its height is 2 over its width.
    if (e > 0) falling[k] = (((high - hz) / (high - low)) * 2) / (high - edgesHz[e - 1]!);
    if (e < bands) rising[k] = (((hz - low) / (high - low)) * 2) / (edgesHz[e + 2]! - low);
  }
  // The last edge may lie a rounding error above the last bin: neither side may weigh less than nothing.
  falling[bins - 1] = Math.max(falling[bins - 1]!, 0);
  return { bands, edge, falling, rising };
}

/** Mel powers of a power spectrum: `bands` numbers into `mel`, from index 1 on (0 and bands + 1 are scratch). */
export function applyMelFilters(filters: MelFilters, power: Float64Array, mel: Float64Array): void {
  const { edge, falling, rising } = filters;
  mel.fill(0);
  for (let k = 0; k < edge.length; k++) {
    const e = edge[k]!;
    mel[e] = mel[e]! + power[k]! * falling[k]!;
    mel[e + 1] = mel[e + 1]! + power[k]! * rising[k]!;
  }
}

export function hzToMel(hz: number): number {
  return hz < BREAK_HZ ? hz / LINEAR_HZ_PER_MEL : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

export function melToHz(mel: number): number {
  return mel < BREAK_MEL ? mel * LINEAR_HZ_PER_MEL : BREAK_HZ * Math.exp((mel - BREAK_MEL) * LOG_STEP);
}
