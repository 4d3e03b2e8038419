// Blocks of any size → hops of exactly 160 samples (10 ms), the step in which levels are measured.

import { HOP_SAMPLES } from './units.ts';

export class HopBuffer {
  readonly #hop = new Float32Array(HOP_SAMPLES);
  readonly #onHop: (hop: Float32Array) => void;
  #filled = 0;

  /** `onHop` receives every full hop; the array is reused. */
  constructor(onHop: (hop: Float32Array) => void) {
    this.#onHop = onHop;
  }

  /** Samples that wait for their hop to fill. */
  get pending(): number {
    return this.#filled;
  }

  push(samples: Float32Array, count = samples.length): void {
    for (let at = 0; at < count;) {
      const taken = Math.min(count - at, HOP_SAMPLES - this.#filled);
      for (let i = 0; i < taken; i++) this.#hop[this.#filled + i] = samples[at + i]!;
      this.#filled += taken;
      at += taken;
      if (this.#filled === HOP_SAMPLES) {
        this.#filled = 0;
        this.#onHop(this.#hop);
      }
    }
  }

  /** Fills the last hop with silence, if one has begun. */
  finish(): void {
    if (this.#filled === 0) return;
    this.#hop.fill(0, this.#filled);
    this.#filled = 0;
    this.#onHop(this.#hop);
  }
}
