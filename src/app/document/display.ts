// How segments look in one script and punctuation. What was worked out once is kept as long as the segment
// stays the same, so that typing in one of a thousand segments costs one conversion.

import type { Doubt, EditableSegment, PunctuationWidth, ScriptView } from './transcript.ts';
import type { ShownSegment } from './export.ts';
import { languageOf } from './language.ts';
import { punctuated } from './punctuation.ts';
import type { ShowScript } from './script.ts';

/** A segment as the page shows it. */
export interface Shown extends ShownSegment {
  readonly id: string;
}

export class Display {
  readonly #showScript: ShowScript;
  readonly #view: ScriptView;
  readonly #punctuation: PunctuationWidth;
  readonly #shown = new WeakMap<EditableSegment, Shown>();

  constructor(showScript: ShowScript, view: ScriptView, punctuation: PunctuationWidth) {
    this.#showScript = showScript;
    this.#view = view;
    this.#punctuation = punctuation;
  }

  show(segment: EditableSegment): Shown {
    let shown = this.#shown.get(segment);
    if (shown === undefined) this.#shown.set(segment, (shown = this.#make(segment)));
    return shown;
  }

  /** Any text, shown the same way (text that is still being read). */
  text(text: string): string {
    return this.#convert({ text, writtenIn: 'as-read', readIn: 'unknown' });
  }

  #make(segment: EditableSegment): Shown {
    const { id, startSeconds, endSeconds, flags, meanLogProb, doubts } = segment;
    const text = this.#convert(segment);
    return {
      ...{ id, startSeconds, endSeconds, flags, meanLogProb, text },
      language: languageOf(text, this.#view),
      doubts: text === segment.text ? doubts : doubts.map((doubt) => this.#move(doubt, segment, text)),
    };
  }

  #convert(written: Pick<EditableSegment, 'text' | 'writtenIn' | 'readIn'>): string {
    return punctuated(this.#showScript(written), this.#punctuation);
  }

  /** Characters mostly become one character each; where they do not, what stands before tells the place. */
  #move(doubt: Doubt, segment: EditableSegment, text: string): Doubt {
    if (text.length === segment.text.length) return doubt;
    const place = (offset: number): number =>
      Math.min(text.length, this.#convert({ ...segment, text: segment.text.slice(0, offset) }).length);
    return { ...doubt, start: place(doubt.start), end: place(doubt.end) };
  }
}
