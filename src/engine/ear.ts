// Listens to a recording that is still being made, whatever the reader is doing: no sample waits on a
// slow model, only readings do.

import type { AudioBlock } from '../signal/units.ts';
import type { AudioWindow } from './segmenter.ts';
import type { WindowMaker } from './windows.ts';

export class Ear {
  readonly #maker: WindowMaker;
  readonly #blocks: AsyncIterator<AudioBlock>;
  readonly #closed: AudioWindow[] = [];
  #state: 'listening' | 'ended' | { readonly error: unknown } = 'listening';
  #wake = (): void => {};

  /** Begins to listen at once. `close` must be called at the end. */
  constructor(audio: AsyncIterable<AudioBlock>, maker: WindowMaker) {
    this.#maker = maker;
    this.#blocks = audio[Symbol.asyncIterator]();
    void this.#listen();
  }

  /** The oldest closed window that nobody has read. */
  takeClosed(): AudioWindow | undefined {
    return this.#closed.shift();
  }

  /** The window that still grows, as it is now. */
  open(): AudioWindow | undefined {
    return this.#state === 'listening' ? this.#maker.open() : undefined;
  }

  get ended(): boolean {
    return this.#state !== 'listening';
  }

  /** What ended the recording, if it did not end by itself. */
  get failure(): { readonly error: unknown } | undefined {
    return typeof this.#state === 'object' ? this.#state : undefined;
  }

  /** Settles when something has been heard since the last call, or the recording is over. */
  async changed(): Promise<void> {
    if (this.ended) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Stops listening; what is on its way is dropped. */
  close(): void {
    void this.#blocks.return?.();
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#blocks.next();
        if (done) break;
        this.#closed.push(...this.#maker.push(value));
        this.#wake();
      }
      this.#closed.push(...this.#maker.end());
      this.#state = 'ended';
    } catch (error) {
      this.#closed.push(...this.#maker.end());
      this.#state = { error };
    }
    this.#wake();
  }
}
