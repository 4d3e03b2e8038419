// A recording that is read once more says the same again; whoever listens hears each segment once.

import type { JobEvent } from './jobs.ts';

export class Retelling {
  #told = 0;
  #warned = false;

  /** Whether that was not said before. */
  isNews(event: JobEvent): boolean {
    if (event.type === 'partial') return event.index >= this.#told;
    if (event.type === 'warning') return !this.#warned && (this.#warned = true);
    if (event.type !== 'final') return true;
    if (event.segment.index < this.#told) return false;
    this.#told = event.segment.index + 1;
    return true;
  }
}
