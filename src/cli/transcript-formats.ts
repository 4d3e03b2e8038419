// A transcript as the terminal writes it.

import type { Segment, Timings } from '../engine/events.ts';
import { joinText } from '../text/join.ts';
import { toSrt, toVtt } from '../text/subtitles.ts';
import { unreachable } from '../errors.ts';

export const FORMATS = ['txt', 'json', 'srt', 'vtt'] as const;
export type Format = (typeof FORMATS)[number];

export interface Transcript {
  readonly file: string;
  readonly model: string;
  readonly device: string;
  durationSeconds: number;
  segments: Segment[];
  timings: Partial<Timings>;
  totalMs: number;
}

/** The transcript as text that ends in a line break. JSON is one line per recording. */
export function render(transcript: Transcript, format: Format): string {
  switch (format) {
    case 'txt':
      return `${joinText(transcript.segments.map(({ text }) => text))}\n`;
    case 'json':
      return `${JSON.stringify(toJson(transcript))}\n`;
    case 'srt':
      return toSrt(transcript.segments);
    case 'vtt':
      return toVtt(transcript.segments);
    default:
      return unreachable(format);
  }
}

function toJson({ file, model, device, durationSeconds, segments, timings, totalMs }: Transcript): object {
  return {
    file,
    model,
    device,
    durationSeconds,
    text: joinText(segments.map(({ text }) => text)),
    segments: segments.map(({ startSeconds, endSeconds, text, tokens, meanLogProb, flags }) => ({
      startSeconds,
      endSeconds,
      text,
      ids: tokens.map(({ id }) => id),
      meanLogProb,
      ...(flags.length > 0 && { flags }),
    })),
    timings,
    rtf: durationSeconds > 0 ? totalMs / 1000 / durationSeconds : 0,
  };
}
