// The text of a window that still grows: what is settled, and what may change with the next reading.
//
// The last reading also serves the model: appended to the next prompt as a draft, it is verified in one
// run, and only what differs is decoded step by step (model/generate.ts).

import { agreedPrefix } from '../text/agreement.ts';
import { wordsOf } from '../text/words.ts';

export interface Revision {
  readonly committed: string;
  readonly tentative: string;
}

export class Draft {
  #words: readonly string[] = [];
  #committed: readonly string[] = [];
  #ids: readonly number[] = [];

  /** Ids of the last reading. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /**
   * Takes a new reading of the growing window. Words on which it agrees with the one before are committed,
   * and are not taken back by a later reading of the open window.
   */
  revise(text: string, ids: readonly number[]): Revision {
    const words = wordsOf(text);
    const agreed = agreedPrefix(this.#words, words);
    if (agreed.length > this.#committed.length && startsWith(agreed, this.#committed))
      this.#committed = agreed;
    this.#words = words;
    this.#ids = ids;
    return {
      committed: this.#committed.join(''),
      tentative: words.slice(this.#committed.length).join(''),
    };
  }

  /** The window has closed: the next one begins with nothing. */
  clear(): void {
    this.#words = [];
    this.#committed = [];
    this.#ids = [];
  }
}

function startsWith(words: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((word, i) => word.trim() === words[i]?.trim());
}
