// Searching the library. Chinese has no blanks between words, so it is indexed by single characters and by
// pairs of neighbors; everything is folded to lower case and Simplified characters.

import MiniSearch from 'minisearch';
import type { Convert } from './script.ts';

export interface Searchable {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

export interface Found {
  readonly id: string;
  /** Where the query, or its beginning, stands in the text, if it does; [start, end). */
  readonly place: { readonly start: number; readonly end: number } | undefined;
}

const RUNS = /\p{Script=Han}+|[\p{Letter}\p{Number}]+(?:['’][\p{Letter}]+)?/gu;

/** '明天 Monday' → 明, 天, 明天, monday */
export function termsOf(text: string): string[] {
  return (text.match(RUNS) ?? []).flatMap((run) => {
    if (!/\p{Script=Han}/u.test(run)) return [run];
    const characters = [...run];
    return [...characters, ...characters.slice(1).map((next, i) => `${characters[i] ?? ''}${next}`)];
  });
}

/** What a query must contain: of Chinese, the pairs (a single character only when it stands alone). */
function queryTermsOf(query: string): string[] {
  return (query.match(RUNS) ?? []).flatMap((run) => {
    const characters = [...run];
    if (!/\p{Script=Han}/u.test(run) || characters.length === 1) return [run];
    return characters.slice(1).map((next, i) => `${characters[i] ?? ''}${next}`);
  });
}

export class SearchIndex {
  readonly #texts = new Map<string, string>();
  readonly #index: MiniSearch<Searchable>;
  readonly #fold: Convert;

  constructor(fold: Convert) {
    this.#fold = (text) => fold(text.toLowerCase());
    this.#index = new MiniSearch<Searchable>({
      fields: ['title', 'text'],
      tokenize: termsOf,
      processTerm: (term) => term,
      searchOptions: {
        tokenize: queryTermsOf,
        combineWith: 'AND',
        boost: { title: 2 },
        // The last Latin word may be unfinished; pairs of Chinese characters are whole.
        prefix: (term) => !/\p{Script=Han}/u.test(term),
      },
    });
  }

  /** Adds a transcript, or puts its new text in place of the old. */
  put({ id, title, text }: Searchable): void {
    this.remove(id);
    const folded = this.#fold(text);
    this.#texts.set(id, folded);
    this.#index.add({ id, title: this.#fold(title), text: folded });
  }

  remove(id: string): void {
    if (this.#texts.delete(id)) this.#index.discard(id);
  }

  /** Best first. */
  find(query: string): Found[] {
    const folded = this.#fold(query).trim();
    return this.#index.search(folded).map((result) => {
      const id = result.id as string;
      return { id, place: this.#placeOf(this.#texts.get(id) ?? '', folded, result.terms) };
    });
  }

  /** Folding keeps lengths in all but rare cases; a place beyond the text is cut by who shows it. */
  #placeOf(text: string, query: string, terms: readonly string[]): Found['place'] {
    for (const part of [query, ...[...terms].sort((a, b) => b.length - a.length)]) {
      const start = text.indexOf(part);
      if (start >= 0) return { start, end: start + part.length };
    }
    return undefined;
  }
}
