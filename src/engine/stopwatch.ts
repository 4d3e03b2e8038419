// Where the time went.

import type { Timings } from './events.ts';

type Stage = 'features' | 'encoder' | 'prefill' | 'steps';

/** Adds up the time spent per stage over one recording. */
export class Stopwatch {
  readonly #startMs = performance.now();
  readonly #spentMs = new Map<Stage, number>();
  windows = 0;
  tokens = 0;
  decoderRuns = 0;

  async time<T>(stage: Stage, work: () => T | Promise<T>): Promise<T> {
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      this.add(stage, performance.now() - startMs);
    }
  }

  add(stage: Stage, ms: number): void {
    this.#spentMs.set(stage, (this.#spentMs.get(stage) ?? 0) + ms);
  }

  read(): Timings {
    const spent = (stage: Stage): number => this.#spentMs.get(stage) ?? 0;
    return {
      featuresMs: spent('features'),
      encoderMs: spent('encoder'),
      prefillMs: spent('prefill'),
      stepsMs: spent('steps'),
      totalMs: performance.now() - this.#startMs,
      windows: this.windows,
      tokens: this.tokens,
      decoderRuns: this.decoderRuns,
    };
  }
}
