// How loud a recording is along its length, small enough to keep: one byte for 20 ms, gathered while the
// recording is read. Levels are logarithmic, so that a whisper is not a flat line.

import { SAMPLE_RATE } from '../../signal/units.ts';

export const PEAKS_PER_SECOND = 50;
const SAMPLES_PER_PEAK = SAMPLE_RATE / PEAKS_PER_SECOND; //  320

/** Silence of a good recorder; below it everything is 0. */
const FLOOR_DB = -72;

export class PeakMeter {
  #peaks = new Uint8Array(1024);
  #length = 0;
  #loudest = 0;
  #samples = 0;

  /** Takes the next samples. */
  push(samples: Float32Array): void {
    let loudest = this.#loudest;
    let taken = this.#samples;
    for (let i = 0; i < samples.length; i++) {
      const loudness = Math.abs(samples[i] ?? 0);
      if (loudness > loudest) loudest = loudness;
      if (++taken < SAMPLES_PER_PEAK) continue;
      this.#add(loudest);
      loudest = 0;
      taken = 0;
    }
    this.#loudest = loudest;
    this.#samples = taken;
  }

  /** What has been gathered so far; a part of a peak at the end counts as one. */
  peaks(): Uint8Array<ArrayBuffer> {
    const whole = this.#peaks.slice(0, this.#length + (this.#samples > 0 ? 1 : 0));
    if (this.#samples > 0) whole[this.#length] = levelByte(this.#loudest);
    return whole;
  }

  #add(loudest: number): void {
    if (this.#length === this.#peaks.length) {
      const wider = new Uint8Array(this.#length * 2);
      wider.set(this.#peaks);
      this.#peaks = wider;
    }
    this.#peaks[this.#length++] = levelByte(loudest);
  }
}

const WAV_HEADER_BYTES = 44;
const PIECE_BYTES = 1 << 20;

/** The peaks of our own recording (WAV, 16 bits, mono, 16 kHz), a megabyte at a time. */
export async function peaksOf(wav: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const meter = new PeakMeter();
  for (let at = WAV_HEADER_BYTES; at < wav.size; at += PIECE_BYTES) {
    const bytes = await wav.slice(at, at + PIECE_BYTES).arrayBuffer();
    const samples = new Int16Array(bytes, 0, bytes.byteLength >> 1);
    meter.push(Float32Array.from(samples, (sample) => sample / 32_768));
  }
  return meter.peaks();
}

function levelByte(loudness: number): number {
  if (loudness <= 0) return 0;
  const level = 1 - (20 * Math.log10(loudness)) / FLOOR_DB;
  return Math.round(255 * Math.min(1, Math.max(0, level)));
}

/**
 * `columns` heights in [0, 1] for the first `seconds` of a recording: the loudest peak of each column,
 * drawn between the recording's own quiet and its own loud. Columns without sound are 0.
 */
export function columnHeights(peaks: Uint8Array, columns: number, seconds: number): Float32Array {
  const heights = new Float32Array(columns);
  const total = Math.max(1, seconds * PEAKS_PER_SECOND);
  const { quiet, loud } = range(peaks);
  for (let column = 0; column < columns; column++) {
    const start = Math.floor((column * total) / columns);
    const end = Math.max(start + 1, Math.floor(((column + 1) * total) / columns));
    let highest = 0;
    for (let i = start; i < end && i < peaks.length; i++) highest = Math.max(highest, peaks[i] ?? 0);
    heights[column] = highest === 0 ? 0 : Math.min(1, Math.max(0.04, (highest - quiet) / (loud - quiet)));
  }
  return heights;
}

/** The tenth and the last percentile of what is not silent. */
function range(peaks: Uint8Array): { quiet: number; loud: number } {
  const counts = new Uint32Array(256);
  for (const peak of peaks) counts[peak] = (counts[peak] ?? 0) + 1;
  counts[0] = 0;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const percentile = (share: number): number => {
    let below = 0;
    for (let value = 0; value < 256; value++) {
      below += counts[value] ?? 0;
      if (below >= total * share && below > 0) return value;
    }
    return 255;
  };
  const loud = percentile(0.995);
  return { quiet: Math.min(percentile(0.1), loud - 40), loud };
}
