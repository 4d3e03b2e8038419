// Trying again after what passes, with pauses that grow.

import { AsrError } from '../../errors.ts';
import { PassingFailure, type Patience } from './http.ts';
import { pause } from './waiting.ts';

/** So much must come before a connection counts as working again; a server may die after every few bytes. */
const GAIN_BYTES = 1 << 16;

/** Nobody waits longer than this for a server that asks to be left alone. */
const MAX_RETRY_AFTER_SECONDS = 120;

/** Counts tries that brought nothing, and waits between them a little longer each time. */
export class Tries {
  readonly #patience: Patience;
  readonly #signal: AbortSignal;
  #failures = 0;
  #gainedAtByte = 0;

  constructor(patience: Patience, signal: AbortSignal) {
    this.#patience = patience;
    this.#signal = signal;
  }

  /** Waits before the next try; throws when `error` does not pass, or has not passed for too long. */
  async again(error: unknown, atByte: number): Promise<void> {
    if (!(error instanceof PassingFailure)) throw error;
    if (atByte - this.#gainedAtByte >= GAIN_BYTES) this.#failures = 0;
    this.#gainedAtByte = atByte;
    this.#failures++;
    const { tries, firstPauseSeconds, maxPauseSeconds } = this.#patience;
    if (this.#failures >= tries) {
      const message = `${error.message}; tried ${tries} times`;
      throw new AsrError(error.code, message, { cause: error });
    }
    const backOff = Math.min(maxPauseSeconds, firstPauseSeconds * 2 ** (this.#failures - 1));
    // Spread out, so that connections that broke together do not knock together.
    const ownPause = backOff * (0.75 + Math.random() / 2);
    const wished = Math.min(MAX_RETRY_AFTER_SECONDS, error.retryAfterSeconds ?? 0);
    await pause(Math.max(ownPause, wished), this.#signal);
  }
}
