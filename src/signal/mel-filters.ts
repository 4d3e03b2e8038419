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

import { doubles } from './doubles.ts';

const LINEAR_HZ_PER_MEL = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / LINEAR_HZ_PER_MEL; // 15
const LOG_STEP = Math.log(6.4) / 27; //            27 mels from 1 kHz to 6.4 kHz

/** What each spectrum bin gives to its two bands. */
export interface MelFilters {
  readonly bands: number;
  /** Bins from firstBin[e] up to firstBin[e + 1] lie between edges h[e] and h[e + 1]: band e − 1 falls there, band e rises. */
  readonly firstBin: readonly number[];
  /** By bin. */
  readonly falling: readonly number[];
  readonly rising: readonly number[];
}

/** `bands` filters from 0 Hz to half the sample rate, for the power spectrum of `fftSize` samples. */
export function melFilters(bands: number, fftSize: number, sampleRate: number): MelFilters {
  const bins = fftSize / 2 + 1;
  const topMel = hzToMel(sampleRate / 2);
  const edgesHz = Array.from({ length: bands + 2 }, (_, i) => melToHz((topMel * i) / (bands + 1)));
  const firstBin: number[] = [];
  const falling = doubles(bins);
  const rising = doubles(bins);
  for (let e = 0, k = 0; e <= bands; e++) {
    firstBin.push(k);
    const low = edgesHz[e]!;
    const high = edgesHz[e + 1]!;
    for (; k < bins && (e === bands || (k * sampleRate) / fftSize < high); k++) {
      const hz = (k * sampleRate) / fftSize;
      // A band's area is 1: its height is 2 over its width.
      if (e > 0) falling[k] = (((high - hz) / (high - low)) * 2) / (high - edgesHz[e - 1]!);
      if (e < bands) rising[k] = (((hz - low) / (high - low)) * 2) / (edgesHz[e + 2]! - low);
    }
  }
  firstBin.push(bins);
  // The last edge may lie a rounding error above the last bin: neither side may weigh less than nothing.
  falling[bins - 1] = Math.max(falling[bins - 1]!, 0);
  return { bands, firstBin, falling, rising };
}

/** Mel powers of a power spectrum: `bands` numbers into `mel`. */
export function applyMelFilters(filters: MelFilters, power: readonly number[], mel: number[]): void {
  const { bands, firstBin, falling, rising } = filters;
  let risen = 0;
  for (let e = 0, k = 0; e <= bands; e++) {
    let fallen = 0;
    let rises = 0;
    for (const end = firstBin[e + 1]!; k < end; k++) {
      fallen += power[k]! * falling[k]!;
      rises += power[k]! * rising[k]!;
    }
    // Band e − 1 has risen up to this edge and falls behind it.
    if (e > 0) mel[e - 1] = risen + fallen;
    risen = rises;
  }
}

export function hzToMel(hz: number): number {
  return hz < BREAK_HZ ? hz / LINEAR_HZ_PER_MEL : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

export function melToHz(mel: number): number {
  return mel < BREAK_MEL ? mel * LINEAR_HZ_PER_MEL : BREAK_HZ * Math.exp((mel - BREAK_MEL) * LOG_STEP);
}
