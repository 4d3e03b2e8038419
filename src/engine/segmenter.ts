// Blocks → windows: stretches of at most 30 s that begin and end at quiet places, with the utterances
// inside them.
//
//   ──────▁▁▂▇▆▇▂▁▁▁▁▁▃▇▇▅▆▁▁▁▁▂▇▇▆▇▇▅▁▁────
//        │◄─────────── window ───────────►│        cut in a pause, late rather than early
//          └ utt. ┘     └utt.┘    └ utt. ┘
//
// Holds one window of samples at most. Knows nothing of models: who reads the windows decides how.

import { assert } from '../errors.ts';
import type { HopVerdict } from '../signal/front-end.ts';
import { type AudioBlock, FRAMES_PER_SECOND, HOP_SAMPLES, WINDOW_FRAMES } from '../signal/units.ts';
import type { WindowFrames } from './frame-history.ts';

/** What is known of 10 ms of sound; of levels only differences matter. */
export type VoiceFrame = HopVerdict;

/** Speech between silences. Positions in samples of the recording, [start, end). */
export interface Utterance {
  readonly startSample: number;
  readonly endSample: number;
}

export interface AudioWindow {
  /** True while its speech still grows; it will come again, longer. */
  readonly open: boolean;
  readonly startSample: number;
  readonly samples: Float32Array;
  readonly utterances: readonly Utterance[];
  /** Frames that were made of these samples already. */
  readonly streamed?: WindowFrames;
}

export interface SegmenterOptions {
  /** Longest window. */
  readonly maxFrames: number;
  /** A pause of this length closes the window. */
  readonly closingPauseFrames: number;
  /** Pauses shorter than this do not divide an utterance. */
  readonly dividingPauseFrames: number;
  /** Off: everything counts as speech, and windows are cut at the quietest places. */
  readonly voiceDetection: boolean;
}

/** For recordings: windows as full as they get, since the encoder costs the same for any length up to 30 s. */
export const FILE_SEGMENTS: SegmenterOptions = {
  maxFrames: WINDOW_FRAMES,
  closingPauseFrames: 5 * FRAMES_PER_SECOND,
  dividingPauseFrames: 0.5 * FRAMES_PER_SECOND,
  voiceDetection: true,
};

/** For captions: a window is what is said between two pauses. */
export const LIVE_SEGMENTS: SegmenterOptions = {
  maxFrames: WINDOW_FRAMES,
  closingPauseFrames: 0.7 * FRAMES_PER_SECOND,
  dividingPauseFrames: Infinity,
  voiceDetection: true,
};

/** Sound kept before and after speech: consonants are quieter than the level that starts an utterance. */
const LEAD_FRAMES = 25;
const TAIL_FRAMES = 30;

/** A cut is looked for in the last two thirds of a full window. */
const EARLIEST_CUT = 1 / 3;
/** Beyond a second, a pause is no better a place for being longer. */
const LONG_PAUSE_FRAMES = FRAMES_PER_SECOND;
/** Without a pause: the quietest fifth of a second. */
const QUIET_FRAMES = 20;

export class Segmenter {
  readonly #options: SegmenterOptions;
  readonly #samples: Float32Array;
  /** Samples held, from `#start` on. */
  #held = 0;
  #startFrame = 0;
  #frames: VoiceFrame[] = [];

  constructor(options: SegmenterOptions) {
    this.#options = options;
    this.#samples = new Float32Array((options.maxFrames + LEAD_FRAMES) * HOP_SAMPLES * 2);
  }

  /** Start of what is not yet in a closed window. */
  get pendingSample(): number {
    return this.#startFrame * HOP_SAMPLES;
  }

  /**
   * Takes the next samples and the frames that have become known (frame f stands for samples
   * [160·f, 160·f + 160); it may lag behind the samples). Returns the windows that closed.
   */
  push({ startSample, samples }: AudioBlock, frames: readonly VoiceFrame[]): AudioWindow[] {
    assert(startSample === this.pendingSample + this.#held, 'blocks follow each other without a gap');
    const closed: AudioWindow[] = [];
    for (const frame of frames)
      this.#frames.push(this.#options.voiceDetection ? frame : { ...frame, speech: true });
    for (let at = 0; at < samples.length;) {
      const piece = samples.subarray(at, at + this.#samples.length - this.#held);
      assert(piece.length > 0, 'closed windows make room');
      this.#samples.set(piece, this.#held);
      this.#held += piece.length;
      at += piece.length;
      closed.push(...this.#closeWhatCan());
    }
    return closed;
  }

  /** What has been heard of the window under way; undefined while there is no speech in it. */
  open(): AudioWindow | undefined {
    const endSample = this.#speechEnd();
    return endSample === undefined ? undefined : this.#window(endSample, true);
  }

  /** The recording is over: the last window, if there is speech left. */
  end(): AudioWindow[] {
    const closed = this.#closeWhatCan();
    const endSample = this.#speechEnd();
    if (endSample === undefined) return closed;
    closed.push(this.#window(endSample, false));
    this.#frames = [];
    return closed;
  }

  /** End of the last speech with its tail, in samples from the start. */
  #speechEnd(): number | undefined {
    const last = this.#frames.findLastIndex((frame) => frame.speech);
    return last < 0 ? undefined : Math.min((last + 1 + TAIL_FRAMES) * HOP_SAMPLES, this.#held);
  }

  #closeWhatCan(): AudioWindow[] {
    const closed: AudioWindow[] = [];
    for (;;) {
      this.#dropLeadingSilence();
      const cutFrame = this.#cutFrame();
      if (cutFrame === undefined) return closed;
      closed.push(this.#window(cutFrame * HOP_SAMPLES, false));
      this.#drop(cutFrame);
    }
  }

  /** Forgets what lies before the first speech, save a short lead. */
  #dropLeadingSilence(): void {
    const first = this.#frames.findIndex((frame) => frame.speech);
    const silent = Math.min(first < 0 ? Infinity : first, this.#known);
    if (silent > LEAD_FRAMES) this.#drop(silent - LEAD_FRAMES);
  }

  /** Frames of which both the samples and the flags are here. */
  get #known(): number {
    return Math.min(this.#frames.length, Math.floor(this.#held / HOP_SAMPLES));
  }

  /** Where to close the window now, in frames from its start; undefined while it may grow. */
  #cutFrame(): number | undefined {
    const { maxFrames, closingPauseFrames } = this.#options;
    const pause = this.#closingPause(closingPauseFrames, Math.min(this.#known, maxFrames));
    if (pause !== undefined) return Math.min(pause + TAIL_FRAMES, maxFrames);
    return this.#known >= maxFrames ? this.#bestCut(maxFrames) : undefined;
  }

  /** End of the first speech that a pause of `length` frames follows, before frame `limit`. */
  #closingPause(length: number, limit: number): number | undefined {
    if (limit < length) return undefined;
    return this.#pauses(limit).find(([start, end]) => start > 0 && end - start >= length)?.[0];
  }

  /** The best pause before `maxFrames`, else the quietest place. */
  #bestCut(maxFrames: number): number {
    const earliest = Math.floor(maxFrames * EARLIEST_CUT);
    let best: { frame: number; score: number } | undefined;
    for (const [start, end] of this.#pauses(maxFrames)) {
      if (end < earliest || start === 0) continue;
      const score = Math.min(end - start, LONG_PAUSE_FRAMES) + (end / maxFrames) * LONG_PAUSE_FRAMES;
      const frame = Math.min(start + TAIL_FRAMES, Math.ceil((start + end) / 2));
      if (best === undefined || score > best.score) best = { frame, score };
    }
    return best?.frame ?? quietestFrame(this.#frames, earliest, maxFrames);
  }

  /** Pauses [start, end) in the first `limit` frames. */
  #pauses(limit: number): [start: number, end: number][] {
    const pauses: [number, number][] = [];
    for (let i = 0; i < limit; i++) {
      if (this.#frames[i]?.speech) continue;
      const start = i;
      while (i < limit && !this.#frames[i]?.speech) i++;
      pauses.push([start, i]);
    }
    return pauses;
  }

  /** The first `endSample` samples held, as a window. */
  #window(endSample: number, open: boolean): AudioWindow {
    const startSample = this.pendingSample;
    const samples = this.#samples.slice(0, endSample);
    const inside = this.#frames.slice(0, Math.ceil(endSample / HOP_SAMPLES));
    const utterances = this.#options.voiceDetection
      ? utterancesIn(inside, this.#options.dividingPauseFrames, samples.length)
      : [{ startSample: 0, endSample: samples.length }];
    return {
      open,
      startSample,
      samples,
      utterances: utterances.map(({ startSample: start, endSample: end }) => ({
        startSample: startSample + start,
        endSample: startSample + end,
      })),
    };
  }

  #drop(frames: number): void {
    const samples = Math.min(frames * HOP_SAMPLES, this.#held);
    this.#samples.copyWithin(0, samples, this.#held);
    this.#held -= samples;
    this.#frames.splice(0, frames);
    this.#startFrame += frames;
  }
}

/** Middle of the quietest fifth of a second in [from, to). */
export function quietestFrame(frames: readonly VoiceFrame[], from: number, to: number): number {
  let best = to;
  let bestLevel = Infinity;
  for (let start = from; start + QUIET_FRAMES <= to; start++) {
    let level = 0;
    for (let i = start; i < start + QUIET_FRAMES; i++) level += frames[i]?.levelDb ?? 0;
    if (level <= bestLevel) [best, bestLevel] = [start + QUIET_FRAMES / 2, level];
  }
  return best;
}

/** Runs of speech with short pauses bridged and a margin on both sides; the margins never overlap. */
function utterancesIn(
  frames: readonly VoiceFrame[],
  dividingPauseFrames: number,
  samples: number,
): Utterance[] {
  const runs: [start: number, end: number][] = [];
  frames.forEach((frame, i) => {
    if (!frame.speech) return;
    const last = runs.at(-1);
    if (last !== undefined && i - last[1] < dividingPauseFrames) last[1] = i + 1;
    else runs.push([i, i + 1]);
  });
  return runs.map(([start, end], i) => {
    const before = runs[i - 1]?.[1] ?? -Infinity;
    const after = runs[i + 1]?.[0] ?? Infinity;
    const from = Math.max(0, start - LEAD_FRAMES, Math.floor((before + start) / 2));
    const to = Math.min(end + TAIL_FRAMES, Math.ceil((end + after) / 2));
    return { startSample: from * HOP_SAMPLES, endSample: Math.min(to * HOP_SAMPLES, samples) };
  });
}
