// Where the time went.

import type { ReadEvent } from '../model/reader.ts';
import type { Timings } from './events.ts';

type Work = Extract<ReadEvent, { type: 'work' }>;

type Stage = 'features' | 'encoder' | 'prefill' | 'steps';

/** Adds up the time spent per stage over one recording. */
export class Stopwatch {
  readonly #startMs = performance.now();
  readonly #spentMs = new Map<Stage, number>();
  readonly #lastMs = new Map<Stage, number>();
  #windows = 0;
  #decoderRuns = 0;
  tokens = 0;

  time<T>(stage: Stage, work: () => T): T {
    const startMs = performance.now();
    const result = work();
    this.#add(stage, performance.now() - startMs);
    return result;
  }

  /** What a reader says of one window. */
  addWork({ encoderMs, prefillMs, stepsMs, decoderRuns }: Work): void {
    this.#add('encoder', encoderMs);
    this.#add('prefill', prefillMs);
    this.#add('steps', stepsMs);
    this.#decoderRuns += decoderRuns;
    this.#windows++;
  }

  #add(stage: Stage, ms: number): void {
    this.#lastMs.set(stage, ms);
    this.#spentMs.set(stage, (this.#spentMs.get(stage) ?? 0) + ms);
  }

  /** What the stage took the last time. */
  lastMs(stage: Stage): number {
    return this.#lastMs.get(stage) ?? 0;
  }

  read(): Timings {
    const spent = (stage: Stage): number => this.#spentMs.get(stage) ?? 0;
    return {
      featuresMs: spent('features'),
      encoderMs: spent('encoder'),
      prefillMs: spent('prefill'),
      stepsMs: spent('steps'),
      totalMs: performance.now() - this.#startMs,
      windows: this.#windows,
      tokens: this.tokens,
      decoderRuns: this.#decoderRuns,
    };
  }
}
