// Changes to a list of segments, each as the one stretch that it replaces, so that it can be taken back.

import type { Segment } from '../../engine/events.ts';
import { joinText } from '../../text/join.ts';
import { doubtsOf, moveDoubts } from './doubts.ts';
import { scriptOf } from './language.ts';
import type { EditableSegment, ScriptView } from './transcript.ts';

/** `removed` gives way to `inserted` at index `at`. */
export interface Splice {
  readonly at: number;
  readonly removed: readonly EditableSegment[];
  readonly inserted: readonly EditableSegment[];
}

export function applySplice(
  segments: readonly EditableSegment[],
  { at, removed, inserted }: Splice,
): EditableSegment[] {
  return [...segments.slice(0, at), ...inserted, ...segments.slice(at + removed.length)];
}

export function inverse({ at, removed, inserted }: Splice): Splice {
  return { at, removed: inserted, inserted: removed };
}

/** A segment as the engine gives it, ready to be worked on. */
export function editable(segment: Segment, id: string): EditableSegment {
  const { startSeconds, endSeconds, text, tokens, flags, meanLogProb } = segment;
  return {
    ...{ id, startSeconds, endSeconds, text, flags, meanLogProb },
    writtenIn: 'as-read',
    readIn: scriptOf(text),
    doubts: doubtsOf(text, tokens),
  };
}

/**
 * The segment with the text that a person gave it while it was shown as `shown`. Marks outside of what
 * changed stay.
 */
export function rewritten(
  segment: EditableSegment,
  shown: Pick<EditableSegment, 'text' | 'doubts'>,
  text: string,
  view: ScriptView,
): EditableSegment {
  return { ...segment, text, writtenIn: view, doubts: moveDoubts(shown.doubts, shown.text, text) };
}

/** Cuts a segment at `offset` of its text; the time is cut in the same proportion. */
export function splitAt(
  segment: EditableSegment,
  offset: number,
  newId: string,
): [EditableSegment, EditableSegment] {
  const { text, startSeconds, endSeconds, doubts } = segment;
  const cutSeconds = secondsAt(segment, offset);
  const head = text.slice(0, offset).trimEnd();
  const tail = text.slice(offset);
  const lead = tail.length - tail.trimStart().length;
  return [
    {
      ...segment,
      text: head,
      startSeconds,
      endSeconds: cutSeconds,
      doubts: doubts.filter(({ end }) => end <= head.length),
    },
    {
      ...segment,
      id: newId,
      text: tail.trimStart(),
      startSeconds: cutSeconds,
      endSeconds,
      doubts: doubts
        .filter(({ start }) => start >= offset + lead)
        .map((d) => ({ ...d, start: d.start - offset - lead, end: d.end - offset - lead })),
    },
  ];
}

/** Two neighbors as one, under the first one's id. Both texts must be written in the same view. */
export function joined(first: EditableSegment, second: EditableSegment): EditableSegment {
  const text = joinText([first.text, second.text]);
  const shift = text.length - second.text.trimEnd().length;
  const weight = (s: EditableSegment): number => Math.max(1, s.text.length);
  const total = weight(first) + weight(second);
  return {
    ...first,
    endSeconds: Math.max(first.endSeconds, second.endSeconds),
    text,
    doubts: [
      ...first.doubts,
      ...second.doubts.map((d) => ({ ...d, start: d.start + shift, end: d.end + shift })),
    ],
    flags: [...new Set([...first.flags, ...second.flags])],
    meanLogProb: (first.meanLogProb * weight(first) + second.meanLogProb * weight(second)) / total,
  };
}

/** Where joining puts the caret: between the two texts. */
export function seamOf(first: EditableSegment, second: EditableSegment): number {
  return joinText([first.text, second.text]).length - second.text.trim().length;
}

/** When the character at `offset` is said, as if all characters took equally long. */
export function secondsAt({ text, startSeconds, endSeconds }: EditableSegment, offset: number): number {
  const share = text.length === 0 ? 0 : Math.min(1, Math.max(0, offset / text.length));
  return startSeconds + (endSeconds - startSeconds) * share;
}
