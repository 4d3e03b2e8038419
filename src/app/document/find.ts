// Finding and replacing in texts.

export interface Match {
  /** Index of the text. */
  readonly text: number;
  /** [start, end) */
  readonly start: number;
  readonly end: number;
}

export interface FindOptions {
  readonly matchCase: boolean;
}

/** Every place where `query` stands, in order, without overlaps. None for an empty query. */
export function findAll(texts: readonly string[], query: string, { matchCase }: FindOptions): Match[] {
  if (query === '') return [];
  const pattern = new RegExp(escaped(query), matchCase ? 'gu' : 'giu');
  return texts.flatMap((text, index) =>
    [...text.matchAll(pattern)].map((match) => ({
      text: index,
      start: match.index,
      end: match.index + match[0].length,
    })),
  );
}

/** `text` with the stretches of `matches` (of this text, in order) replaced. */
export function replaced(text: string, matches: readonly Match[], replacement: string): string {
  let result = '';
  let at = 0;
  for (const { start, end } of matches) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}

function escaped(query: string): string {
  return query.replace(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&');
}
