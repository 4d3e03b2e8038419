// Marks in text (unsure words, what was found) that the browser paints without touching the document, so
// that they never get in the way of typing. Browsers without CSS highlights show no marks.

import { rangeIn } from './caret.ts';

export type MarkKind = 'doubt' | 'match' | 'match-now';

export interface Mark {
  readonly kind: MarkKind;
  readonly start: number;
  readonly end: number;
}

const painted: Partial<Record<MarkKind, Highlight>> = {};

/** Paints marks in `element`. Returns how to take them away. */
export function paint(element: HTMLElement, marks: readonly Mark[]): () => void {
  const taken: (() => void)[] = [];
  for (const { kind, start, end } of marks) {
    const highlight = highlightOf(kind);
    const range = rangeIn(element, start, end);
    if (highlight === undefined || range === undefined) continue;
    highlight.add(range);
    taken.push(() => highlight.delete(range));
  }
  return () => taken.forEach((take) => take());
}

function highlightOf(kind: MarkKind): Highlight | undefined {
  if (!('highlights' in CSS)) return undefined;
  let highlight = painted[kind];
  if (highlight === undefined) {
    highlight = painted[kind] = new Highlight();
    highlight.priority = kind === 'match-now' ? 2 : kind === 'match' ? 1 : 0;
    CSS.highlights.set(kind, highlight);
  }
  return highlight;
}
