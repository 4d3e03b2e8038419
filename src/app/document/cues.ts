// Segments → subtitles that fit a screen: at most two lines' worth of text and a few seconds each.

import type { Cue } from '../../text/subtitles.ts';

/** Two lines of 42 columns, as broadcasters have it; a Chinese character takes two columns. */
const MAX_COLUMNS = 84;
const MAX_SECONDS = 7;

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]/u;

/** Breaks, best first: behind a sentence, behind a clause, at a blank, between Chinese characters. */
const BREAKS = [
  /[。！？!?…]["”’）)]?\s*|\.\s+/gu,
  /[，、；：,;:]\s*/gu,
  /\s+/gu,
  /(?<=\p{Script=Han})(?=\p{Script=Han})/gu,
];

/** The segments as cues; long ones are cut at the best places, their time in proportion to their text. */
export function cuesOf(segments: readonly Cue[]): Cue[] {
  return segments.flatMap((segment) => (segment.text.trim() === '' ? [] : cut(segment)));
}

function cut(cue: Cue): Cue[] {
  const seconds = cue.endSeconds - cue.startSeconds;
  if (columnsOf(cue.text) <= MAX_COLUMNS && seconds <= MAX_SECONDS) return [cue];
  const offset = bestBreak(cue.text);
  if (offset === undefined) return [cue];
  const atSeconds = cue.startSeconds + seconds * (columnsOf(cue.text.slice(0, offset)) / columnsOf(cue.text));
  return [
    ...cut({ ...cue, text: cue.text.slice(0, offset).trim(), endSeconds: atSeconds }),
    ...cut({ ...cue, text: cue.text.slice(offset).trim(), startSeconds: atSeconds }),
  ];
}

/** The break nearest to the middle among those of the best kind that lie in the middle half. */
function bestBreak(text: string): number | undefined {
  const total = columnsOf(text);
  if (total < 8) return undefined;
  for (const kind of BREAKS) {
    let best: { offset: number; distance: number } | undefined;
    for (const match of text.matchAll(kind)) {
      const offset = match.index + match[0].length;
      const share = columnsOf(text.slice(0, offset)) / total;
      const distance = Math.abs(share - 0.5);
      if (distance <= 0.3 && (best === undefined || distance < best.distance)) best = { offset, distance };
    }
    if (best !== undefined) return best.offset;
  }
  return undefined;
}

/** Width in columns of a monospaced screen. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : 1;
  return columns;
}
