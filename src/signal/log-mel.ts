// The model's features: samples → log-mel frames, streamed or a window at a time.
//
//   samples ─► Hann 25 ms ─► |FFT|² ─► mel bands ─► log10  │ ─► clamp to max − 8 ─► (x + 4)/4
//   └───────────── raw frames, one per 10 ms ──────────────┘   └── needs the whole window ──┘
//
// Raw frames can be made while the sound arrives, on the audio thread too (`LogMelStream`). The rest
// of the recipe looks at a whole window: its loudest value, and its ends, where a frame sees the
// mirror image of the window or the zeros behind it (`windowFeatures`). See MODEL.md, "Features".

import { assert } from '../errors.ts';
import { doubles } from './doubles.ts';
import { FFT_SIZE, RealFft, SPECTRUM_BINS } from './fft.ts';
import { applyMelFilters, type MelFilters, melFilters } from './mel-filters.ts';
import { FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE, WINDOW_FRAMES } from './units.ts';

/** Half a frame: how far a frame reaches to both sides of its center. */
const REACH_SAMPLES = FRAME_SAMPLES / 2;
const POWER_FLOOR = 1e-10;
/** A frame of digital silence: log10(1e-10). */
export const SILENT_LOG_MEL = Math.log10(POWER_FLOOR);
/** Quieter than the loudest value by more than this many powers of ten is all the same to the model. */
const DYNAMIC_RANGE = 8;

/** The periodic Hann window: 0 at n = 0, symmetric about n = 200. */
const HANN = doubles(FRAME_SAMPLES, (n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FRAME_SAMPLES));

/** Makes raw log-mel frames. Holds the tables; allocates nothing per frame. */
export class LogMel {
  readonly melBins: number;
  readonly #fft = new RealFft(HANN);
  readonly #power = doubles(SPECTRUM_BINS);
  readonly #filters: MelFilters;
  readonly #mel: number[];

  constructor(melBins: number) {
    this.melBins = melBins;
    this.#filters = melFilters(melBins, FFT_SIZE, SAMPLE_RATE);
    this.#mel = doubles(melBins);
  }

  /** log10 mel powers of the 400 samples from `at` on, into `out` from `outAt` on. */
  frame(samples: Float32Array, at: number, out: Float32Array, outAt: number): void {
    this.#fft.powerSpectrum(samples, at, this.#power);
    const mel = this.#mel;
    applyMelFilters(this.#filters, this.#power, mel);
    for (let band = 0; band < mel.length; band++) {
      const power = mel[band]!;
      // Math.log10 takes half as long again; tables of our own are no faster.
      out[outAt + band] = Math.LOG10E * Math.log(power > POWER_FLOOR ? power : POWER_FLOOR);
    }
  }
}

/**
 * Blocks of any size in, raw frames out: frame f is centered on sample 160·f of the stream and comes
 * as soon as sample 160·f + 199 has. Before the stream's first sample there is silence.
 *
 * The same samples give the same frames, bit for bit, however they are cut into blocks.
 */
export class LogMelStream {
  readonly melBins: number;
  readonly #plan: LogMel;
  readonly #recent = new Float32Array(FRAME_SAMPLES);
  #filled = REACH_SAMPLES;
  #frames = 0;

  constructor(melBins: number) {
    this.melBins = melBins;
    this.#plan = new LogMel(melBins);
  }

  /** Frames made so far; the number of the next one. */
  get frames(): number {
    return this.#frames;
  }

  /** The most frames that one push of `samples` samples can make. */
  static maxFrames(samples: number): number {
    return Math.ceil(samples / HOP_SAMPLES);
  }

  /**
   * Takes the first `count` samples; writes the frames that became complete to `out`, frame-major
   * ([frames, melBins]), and returns how many. Allocates nothing.
   */
  push(samples: Float32Array, out: Float32Array, count = samples.length): number {
    const recent = this.#recent;
    let made = 0;
    for (let at = 0; at < count;) {
      const taken = Math.min(count - at, FRAME_SAMPLES - this.#filled);
      for (let i = 0; i < taken; i++) recent[this.#filled + i] = samples[at + i]!;
      this.#filled += taken;
      at += taken;
      if (this.#filled < FRAME_SAMPLES) break;
      assert((made + 1) * this.melBins <= out.length, 'frames have room');
      this.#plan.frame(recent, 0, out, made * this.melBins);
      made++;
      recent.copyWithin(0, HOP_SAMPLES);
      this.#filled -= HOP_SAMPLES;
    }
    this.#frames += made;
    return made;
  }
}

/** Raw frames that a `LogMelStream` made of the same samples, frame-major [count, melBins]. */
export interface StreamedFrames {
  readonly logMel: Float32Array;
  /** Which frame of the window is the first in `logMel`; the window starts on a multiple of 160. */
  readonly firstFrame: number;
}

export interface WindowOptions {
  readonly melBins: number;
  /** Length that the window is padded to: 3000 as the model was trained, or another multiple of 8. */
  readonly frames?: number;
  readonly streamed?: StreamedFrames;
}

/**
 * The model's input for one window: Float32 [melBins, frames], mel-major, equal to the reference's
 * (WhisperFeatureExtractor) within 1e-4.
 *
 * Takes at most 160·frames samples; what is missing is silence behind them. Streamed frames are
 * used where they saw this window only; those at its ends are made anew.
 */
export function windowFeatures(samples: Float32Array, options: WindowOptions): Float32Array<ArrayBuffer> {
  const { melBins, frames = WINDOW_FRAMES, streamed } = options;
  assert(frames > 0 && frames % 8 === 0, 'a window is padded to a multiple of 8 frames');
  assert(samples.length <= frames * HOP_SAMPLES, 'the samples fit the window');
  const features = new Float32Array(melBins * frames);
  rescale(features, rawWindow(samples, melBins, frames, streamed, features));
  return features;
}

/**
 * Raw frames of the whole window, mel-major, into `features`. Returns the loudest value.
 *
 * A function of its own, so that nothing comes after its loop: V8 compiles the loop while it runs for the
 * first time, knows nothing of what comes after it, and would run that uncompiled in every later window.
 */
function rawWindow(
  samples: Float32Array,
  melBins: number,
  frames: number,
  streamed: StreamedFrames | undefined,
  features: Float32Array,
): number {
  const plan = new LogMel(melBins);
  const edge = new Float32Array(FRAME_SAMPLES);
  const tile = new Float32Array(TILE_FRAMES * melBins);
  let loudest = SILENT_LOG_MEL;
  for (let firstFrame = 0; firstFrame < frames; firstFrame += TILE_FRAMES) {
    for (let i = 0; i < TILE_FRAMES; i++) {
      const at = (firstFrame + i) * HOP_SAMPLES - REACH_SAMPLES;
      const to = i * melBins;
      if (at >= samples.length) {
        tile.fill(SILENT_LOG_MEL, to, to + melBins);
      } else if (at < 0 || at + FRAME_SAMPLES > samples.length) {
        cutEdge(samples, at, frames * HOP_SAMPLES, edge);
        plan.frame(edge, 0, tile, to);
      } else if (!copyStreamed(streamed, firstFrame + i, melBins, tile, to)) {
        plan.frame(samples, at, tile, to);
      }
    }
    loudest = Math.max(loudest, transposeTile(tile, melBins, features, firstFrame, frames));
  }
  return loudest;
}

/** Frames turned to mel-major at once: writing one at a time touches a cache line per number. Divides every window. */
const TILE_FRAMES = 8;

/** Frame-major [TILE_FRAMES, melBins] into columns of [melBins, frames]. Returns the loudest value. */
function transposeTile(
  tile: Float32Array,
  melBins: number,
  features: Float32Array,
  firstFrame: number,
  frames: number,
): number {
  let loudest = -Infinity;
  for (let band = 0; band < melBins; band++) {
    const to = band * frames + firstFrame;
    for (let i = 0; i < TILE_FRAMES; i++) {
      const value = tile[i * melBins + band]!;
      features[to + i] = value;
      if (value > loudest) loudest = value;
    }
  }
  return loudest;
}

/**
 * The 400 samples from `at` on: the padded window mirrored at both ends (without repeating the
 * outermost sample, as torch's "reflect" does), zero behind the real samples.
 */
function cutEdge(samples: Float32Array, at: number, windowSamples: number, edge: Float32Array): void {
  for (let i = 0; i < FRAME_SAMPLES; i++) {
    const n = at + i;
    const mirrored = n < 0 ? -n : n < windowSamples ? n : 2 * (windowSamples - 1) - n;
    edge[i] = mirrored < samples.length ? samples[mirrored]! : 0;
  }
}

/** Copies a frame to `tile`, from `to` on, if it was streamed. */
function copyStreamed(
  streamed: StreamedFrames | undefined,
  frame: number,
  melBins: number,
  tile: Float32Array,
  to: number,
): boolean {
  if (streamed === undefined) return false;
  const from = (frame - streamed.firstFrame) * melBins;
  if (from < 0 || from + melBins > streamed.logMel.length) return false;
  for (let band = 0; band < melBins; band++) tile[to + band] = streamed.logMel[from + band]!;
  return true;
}

function rescale(features: Float32Array, loudest: number): void {
  const floor = loudest - DYNAMIC_RANGE;
  for (let i = 0; i < features.length; i++) {
    const value = features[i]!;
    features[i] = (value > floor ? value : floor) * 0.25 + 1;
  }
}
