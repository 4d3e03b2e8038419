// What the engine is asked and what it answers. Every door speaks in these.

import type { AsrErrorCode } from '../errors.ts';

/** How to read. The defaults (DEFAULT_OPTIONS) are those that the evaluation favors. */
export interface TranscribeOptions {
  /**
   * The reference's behavior, as a yardstick: no gain, no voice detection, no loop guard, the clip
   * (at most 30 s) zero-padded to one window and read as one segment.
   */
  readonly exact: boolean;
  /** Ask for readings of windows that still grow (live captions). Off for files. */
  readonly live: boolean;
  /** Lift quiet speech to a steady level before the features. The recording itself is never altered. */
  readonly gain: boolean;
  /** Read only where somebody speaks. */
  readonly voiceDetection: boolean;
  /** Split and read again where the model goes in circles or runs out of its budget. */
  readonly loopGuard: boolean;
  /**
   * Pad a window to its own length instead of the model's 30 s: less work, and not what the model was
   * trained on.
   */
  readonly shortPad: boolean;
  /** Instruction in place of the one that the model was trained with. */
  readonly instruction?: string;
  /** Most new ids per segment; without it, in proportion to the segment's length. */
  readonly maxNewTokens?: number;
  /** Tell also how the readings come about (`trace` events). Changes nothing else. */
  readonly trace?: boolean;
}

export const DEFAULT_OPTIONS: TranscribeOptions = {
  exact: false,
  live: false,
  gain: true,
  voiceDetection: true,
  loopGuard: true,
  shortPad: false,
};

export const EXACT_OPTIONS: TranscribeOptions = {
  ...DEFAULT_OPTIONS,
  exact: true,
  gain: false,
  voiceDetection: false,
  loopGuard: false,
};

/** One id with the text it completed and how likely the model thought it. */
export interface Token {
  readonly id: number;
  readonly logProb: number;
  /** Empty while a character is unfinished; the next token then completes it. */
  readonly text: string;
}

/**
 * Why a segment deserves a second look.
 * `resplit`: it went in circles or out of budget as part of a longer stretch, and was read again in parts.
 * `loop`: it still went in circles; the cycle is said once.
 * `budget`: it still ran out of budget; the text stops early.
 */
export type SegmentFlag = 'resplit' | 'loop' | 'budget';

/** A piece of transcript with start and end. */
export interface Segment {
  /** Counts from 0 over the whole recording. */
  readonly index: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly text: string;
  /** Generated ids without the stop id. */
  readonly tokens: readonly Token[];
  /** Mean log-probability of the ids; 0 where there are none. */
  readonly meanLogProb: number;
  readonly flags: readonly SegmentFlag[];
}

/** Where the time went, in milliseconds; plus counts. */
export interface Timings {
  readonly featuresMs: number;
  readonly encoderMs: number;
  readonly prefillMs: number;
  readonly stepsMs: number;
  readonly totalMs: number;
  readonly windows: number;
  readonly tokens: number;
  readonly decoderRuns: number;
}

/** What one stage did. Hops are 10 ms of the recording, counted from 0. */
export type Trace =
  /** What the gain added to each hop, measured on the sound itself. */
  | { readonly kind: 'gain'; readonly firstHop: number; readonly gainDb: readonly number[] }
  /** The next hops' level before gain (speech band, dBFS), and whether somebody speaks. */
  | { readonly kind: 'voice'; readonly levelDb: readonly number[]; readonly speech: readonly boolean[] }
  /** A window is shown to the model, with the utterances in it. */
  | {
      readonly kind: 'reading';
      readonly startSeconds: number;
      readonly endSeconds: number;
      readonly open: boolean;
      readonly utterances: readonly (readonly [startSeconds: number, endSeconds: number])[];
    }
  /** What the model sees of it: [frames, melBins], 255 the loudest. */
  | {
      readonly kind: 'mel';
      readonly startSeconds: number;
      readonly melBins: number;
      readonly frames: number;
      readonly picture: Uint8Array;
    }
  /** An id of segment `index` was found; its text is empty while a character is unfinished. */
  | { readonly kind: 'token'; readonly index: number; readonly token: Token }
  /** The window is read: where its time went. */
  | {
      readonly kind: 'work';
      readonly startSeconds: number;
      readonly featuresMs: number;
      readonly encoderMs: number;
      readonly prefillMs: number;
      readonly stepsMs: number;
      readonly decoderRuns: number;
    };

export type TranscriptEvent =
  /** A window is about to be read. `open` ones still grow; `heardSeconds` of the recording have come in. */
  | {
      readonly type: 'window';
      readonly startSeconds: number;
      readonly endSeconds: number;
      readonly open: boolean;
      readonly heardSeconds: number;
    }
  /**
   * A segment under way: `committed` will not change any more, `tentative` may. Both are empty where what
   * seemed to be speech turned out to be none.
   */
  | {
      readonly type: 'partial';
      readonly index: number;
      readonly startSeconds: number;
      readonly endSeconds: number;
      readonly committed: string;
      readonly tentative: string;
    }
  /** A segment is done. */
  | { readonly type: 'final'; readonly segment: Segment }
  /** Everything before `doneSeconds` of the recording is read; `heardSeconds` of it have come in. */
  | { readonly type: 'progress'; readonly doneSeconds: number; readonly heardSeconds: number }
  /** Something failed that the reading can do without; said once, before the first event it has to do with. */
  | { readonly type: 'warning'; readonly code: AsrErrorCode; readonly message: string }
  /** Asked for with `trace`. `atMs` counts from the start. */
  | { readonly type: 'trace'; readonly atMs: number; readonly what: Trace }
  /** The recording is over. */
  | { readonly type: 'end'; readonly durationSeconds: number; readonly timings: Timings };
