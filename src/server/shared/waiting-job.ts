// A job that this server has put into the line: what is said about it, for the client that waits.

import { fromFailure } from '../../platform/thread/failure.ts';
import type { JobEvent } from '../jobs.ts';
import { Retelling } from '../retelling.ts';
import type { Told } from './protocol.ts';

export class WaitingJob {
  readonly asker: string;
  /** Somebody has begun to read it. */
  begun = false;
  heardMs = performance.now();
  readonly #events: JobEvent[] = [];
  readonly #retelling = new Retelling();
  #attempt = 0;
  #outcome: 'open' | 'finished' | { readonly error: Error } = 'open';
  #wake = (): void => undefined;

  constructor(asker: string) {
    this.asker = asker;
  }

  /** What an earlier attempt still says, or says again, is left out. */
  hear({ attempt, what }: Told): void {
    if (attempt < this.#attempt || this.#outcome !== 'open') return;
    this.#attempt = attempt;
    this.heardMs = performance.now();
    if ('finished' in what) this.#outcome = 'finished';
    else if ('failure' in what) this.#outcome = { error: fromFailure(what.failure) };
    else if (what.event.type !== 'started') {
      if (this.#retelling.isNews(what.event)) this.#events.push(what.event);
    } else if (!this.begun) {
      this.begun = true;
      this.#events.push(what.event);
    }
    this.#wake();
  }

  fail(error: Error): void {
    if (this.#outcome === 'open') this.#outcome = { error };
    this.#wake();
  }

  async *events(signal: AbortSignal): AsyncGenerator<JobEvent, void> {
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      for (;;) {
        signal.throwIfAborted();
        const event = this.#events.shift();
        if (event !== undefined) yield event;
        else if (this.#outcome === 'finished') return;
        else if (this.#outcome !== 'open') throw this.#outcome.error;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }
}
