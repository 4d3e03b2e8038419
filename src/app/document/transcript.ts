// A transcript as it is kept, shown, edited and exported. Data only; everything is replaced, never changed.

import type { AsrErrorCode } from '../../errors.ts';
import type { SegmentFlag } from '../../engine/events.ts';

/** How Chinese text is shown. `as-read`: as the model wrote it. */
export const SCRIPT_VIEWS = ['as-read', 'hans', 'hant-hk', 'hant-tw'] as const;
export type ScriptView = (typeof SCRIPT_VIEWS)[number];

export type ReadScript = 'hans' | 'hant' | 'unknown';

/** Which width punctuation beside Chinese has. */
export const PUNCTUATION_WIDTHS = ['as-read', 'full', 'half'] as const;
export type PunctuationWidth = (typeof PUNCTUATION_WIDTHS)[number];

/** A word that the model was unsure of: [start, end) in the segment's text. */
export interface Doubt {
  readonly start: number;
  readonly end: number;
  /** Of its least likely part. */
  readonly logProb: number;
}

/** A segment as people work on it. */
export interface EditableSegment {
  /** Stays while the text changes. */
  readonly id: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly text: string;
  /** The view in which a person wrote the text; `as-read` while it is the model's. */
  readonly writtenIn: ScriptView;
  /** The script that the model wrote it in. */
  readonly readIn: ReadScript;
  readonly doubts: readonly Doubt[];
  readonly flags: readonly SegmentFlag[];
  readonly meanLogProb: number;
}

export type Origin =
  | { readonly from: 'file'; readonly name: string; readonly bytes: number }
  | { readonly from: 'sample'; readonly name: string }
  | { readonly from: 'microphone' };

/** How far the reading came, and why it ended there. */
export type Ending =
  | { readonly at: 'reading'; readonly doneSeconds: number }
  | { readonly at: 'whole' }
  | { readonly at: 'stopped'; readonly doneSeconds: number }
  | { readonly at: 'failed'; readonly doneSeconds: number; readonly code: AsrErrorCode | 'bug' };

export interface TranscriptDocument {
  readonly id: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly durationSeconds: number;
  readonly origin: Origin;
  /** For people: which model read it, and on what. */
  readonly model: string;
  readonly device: string;
  readonly segments: readonly EditableSegment[];
  readonly scriptView: ScriptView;
  readonly punctuation: PunctuationWidth;
  readonly ending: Ending;
  /** Places that the decoder of the file had to skip. */
  readonly damagedPlaces: number;
}

/** What lists show of a transcript without opening it. */
export interface TranscriptSummary {
  readonly id: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly durationSeconds: number;
  readonly from: Origin['from'];
  readonly firstLine: string;
  readonly ending: Ending['at'];
  /** Bytes of the recording, if it is kept. */
  readonly audioBytes: number;
}

const FIRST_LINE_CHARACTERS = 120;

export function summaryOf(document: TranscriptDocument, audioBytes: number): TranscriptSummary {
  const { id, title, createdAtMs, durationSeconds, origin, ending } = document;
  const firstLine = document.segments.find(({ text }) => text !== '')?.text ?? '';
  return {
    id,
    title,
    createdAtMs,
    durationSeconds,
    from: origin.from,
    firstLine: [...firstLine].slice(0, FIRST_LINE_CHARACTERS).join(''),
    ending: ending.at,
    audioBytes,
  };
}

/** Checks what storage gives back; undefined when it is no transcript (an older Sotto, a damaged record). */
export function asDocument(value: unknown): TranscriptDocument | undefined {
  const candidate = value as Partial<TranscriptDocument> | null | undefined;
  if (typeof candidate !== 'object' || candidate === null) return undefined;
  const { id, title, createdAtMs, segments, ending } = candidate;
  const whole =
    typeof id === 'string' &&
    typeof title === 'string' &&
    typeof createdAtMs === 'number' &&
    Array.isArray(segments) &&
    typeof ending === 'object';
  return whole ? (candidate as TranscriptDocument) : undefined;
}
