// A transcript as a file for other programs.

import { unreachable } from '../../errors.ts';
import type { SegmentFlag } from '../../engine/events.ts';
import { joinText } from '../../text/join.ts';
import { toSrt, toVtt } from '../../text/subtitles.ts';
import { cuesOf } from './cues.ts';
import type { Doubt } from './transcript.ts';

export const EXPORT_FORMATS = ['txt', 'timed-txt', 'srt', 'vtt', 'docx', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** A segment as it is shown: in the chosen script and punctuation. */
export interface ShownSegment {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly text: string;
  readonly language: string;
  readonly doubts: readonly Doubt[];
  readonly flags: readonly SegmentFlag[];
  readonly meanLogProb: number;
}

export interface Exportable {
  readonly title: string;
  readonly createdAtMs: number;
  readonly durationSeconds: number;
  readonly model: string;
  readonly device: string;
  readonly segments: readonly ShownSegment[];
}

const MEDIA_TYPES: Record<ExportFormat, string> = {
  txt: 'text/plain',
  'timed-txt': 'text/plain',
  srt: 'application/x-subrip',
  vtt: 'text/vtt',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  json: 'application/json',
};

/** The file, ready to be saved. */
export async function exportFile(transcript: Exportable, format: ExportFormat): Promise<File> {
  const content = await contentOf(transcript, format);
  return new File([content], fileName(transcript.title, format), { type: MEDIA_TYPES[format] });
}

function contentOf(transcript: Exportable, format: ExportFormat): string | Promise<Blob> {
  switch (format) {
    case 'txt':
      return `${plainText(transcript.segments)}\n`;
    case 'timed-txt':
      return timedText(transcript.segments);
    case 'srt':
      return toSrt(cuesOf(transcript.segments));
    case 'vtt':
      return toVtt(cuesOf(transcript.segments));
    case 'json':
      return `${JSON.stringify(toJson(transcript), null, 2)}\n`;
    case 'docx':
      return import('./docx.ts').then(({ toDocx }) => toDocx(transcript));
    default:
      return unreachable(format);
  }
}

/** A pause of this length starts a paragraph. */
const PARAGRAPH_PAUSE_SECONDS = 2;

/** Segments in paragraphs, parted where the recording pauses. */
export function paragraphsOf<S extends Pick<ShownSegment, 'startSeconds' | 'endSeconds' | 'text'>>(
  segments: readonly S[],
): S[][] {
  const paragraphs: S[][] = [];
  let previous: S | undefined;
  for (const segment of segments) {
    if (segment.text.trim() === '') continue;
    const gap = previous === undefined ? Infinity : segment.startSeconds - previous.endSeconds;
    if (gap >= PARAGRAPH_PAUSE_SECONDS) paragraphs.push([segment]);
    else paragraphs.at(-1)?.push(segment);
    previous = segment;
  }
  return paragraphs;
}

/** The text alone, for reading on: paragraphs parted by an empty line. */
export function plainText(
  segments: readonly Pick<ShownSegment, 'startSeconds' | 'endSeconds' | 'text'>[],
): string {
  return paragraphsOf(segments)
    .map((paragraph) => joinText(paragraph.map(({ text }) => text)))
    .join('\n\n');
}

function timedText(segments: readonly ShownSegment[]): string {
  return segments
    .filter(({ text }) => text.trim() !== '')
    .map(({ startSeconds, text }) => `[${clock(startSeconds)}] ${text}\n`)
    .join('');
}

function toJson({ title, createdAtMs, durationSeconds, model, device, segments }: Exportable): object {
  return {
    title,
    createdAt: new Date(createdAtMs).toISOString(),
    durationSeconds,
    model,
    device,
    text: plainText(segments),
    segments: segments.map((segment) => ({
      startSeconds: rounded(segment.startSeconds),
      endSeconds: rounded(segment.endSeconds),
      text: segment.text,
      language: segment.language,
      meanLogProb: rounded(segment.meanLogProb),
      ...(segment.doubts.length > 0 && {
        unsure: segment.doubts.map(({ start, end, logProb }) => ({
          text: segment.text.slice(start, end),
          start,
          end,
          probability: rounded(Math.exp(logProb)),
        })),
      }),
      ...(segment.flags.length > 0 && { flags: segment.flags }),
    })),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A name that every file system takes. */
export function fileName(title: string, format: ExportFormat): string {
  const plain = title
    .normalize('NFC')
    .replace(/[\\/:*?"<>|\u0000-\u001f\u007f]+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .replace(/^[. ]+|[. ]+$/gu, '')
    .slice(0, 120)
    .trim();
  return `${plain === '' ? 'transcript' : plain}.${format === 'timed-txt' ? 'txt' : format}`;
}
