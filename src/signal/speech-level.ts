// How loud the speaker is: the mean power of what stands above the noise, as ITU-T P.56 measures
// "active speech level", but while it is spoken.

import { SILENCE_DB } from './level.ts';

/** Mean over the last two seconds of speech (not of time). */
const LONG_HOPS = 200;
const SHORT_HOPS = 30;
/** P.56 counts what is at most 15.9 dB below the mean; the rest is the sound between syllables. */
const MARGIN = 10 ** (-15.9 / 10);
/** Short and long mean farther apart than syllables make them: another speaker, or the same one whispering. */
const CHANGE = 10 ** (12 / 10);

export class SpeechLevel {
  #hops = 0;
  #long = 0; //  mean power, full scale = 1
  #short = 0;

  /** Hops counted since speech was first met, or since it last changed. */
  get hops(): number {
    return this.#hops;
  }

  get db(): number {
    return this.#hops === 0 ? SILENCE_DB : 10 * Math.log10(this.#long);
  }

  /** Takes a hop of speech. */
  follow(levelDb: number): void {
    const power = 10 ** (levelDb / 10);
    this.#short += (power - this.#short) / Math.min(this.#hops + 1, SHORT_HOPS);
    if (power < this.#long * MARGIN) return this.#checkChange();
    this.#hops++;
    this.#long += (power - this.#long) / Math.min(this.#hops, LONG_HOPS);
    this.#checkChange();
  }

  #checkChange(): void {
    const ratio = this.#short / this.#long;
    if (ratio < CHANGE && ratio > 1 / CHANGE) return;
    this.#long = this.#short;
    this.#hops = SHORT_HOPS / 2;
  }
}
