// Find and replace in one transcript.

import { findAll, type Match } from '../document/find.ts';
import { grouped } from './grouped.ts';
import type { Transcript } from './transcript.svelte.ts';

export class Finder {
  open = $state(false);
  query = $state('');
  replacement = $state('');
  matchCase = $state(false);
  /** Place of the match that is shown among `matches`. */
  #place = $state(0);
  readonly #transcript: Transcript;
  readonly matches: readonly Match[] = $derived.by(() => this.#find());
  readonly bySegment: ReadonlyMap<number, readonly Match[]> = $derived(
    grouped(this.matches, (match) => match.text),
  );
  readonly place: number = $derived(Math.min(this.#place, Math.max(0, this.matches.length - 1)));
  readonly current: Match | undefined = $derived(this.matches[this.place]);

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  #find(): readonly Match[] {
    if (!this.open) return [];
    return findAll(
      this.#transcript.shown.map(({ text }) => text),
      this.query,
      { matchCase: this.matchCase },
    );
  }

  /** Goes `by` matches on, around the ends. */
  step(by: 1 | -1): void {
    const { length } = this.matches;
    if (length > 0) this.#place = (this.place + by + length) % length;
  }

  /** Replaces the match that is shown; the next one is shown then. */
  replaceOne(): void {
    if (this.current !== undefined) this.#transcript.replace([this.current], this.replacement);
  }

  replaceAll(): number {
    const { length } = this.matches;
    this.#transcript.replace(this.matches, this.replacement);
    return length;
  }

  close(): void {
    this.open = false;
  }
}
