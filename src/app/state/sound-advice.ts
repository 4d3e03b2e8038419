// What to tell somebody about the sound of their microphone: too loud for it, hardly there, or nothing at all.

import type { SoundLevel } from './recorder.svelte.ts';

export type SoundAdvice = 'none' | 'clipping' | 'silent' | 'too-quiet';

/** Samples this close to the end of what the device can say have been cut off. */
const CLIPPED_PEAK = 0.985;
/** Said for so long, so that it can be read. */
const CLIPPING_MILLISECONDS = 2000;
/** A microphone that works has noise of its own above this. */
const DEAD_DB = -95;
const DEAD_MILLISECONDS = 2000;
/** Speech below this is near the microphone's own noise; the gain has nothing more to give. */
const FAINT_DB = -66;
const FAINT_MILLISECONDS = 6000;

export class SoundAdvisor {
  #clippedAtMs = -Infinity;
  #aliveAtMs: number | undefined;
  #fineAtMs: number | undefined;

  /** Takes the next level; `nowMs` counts from anywhere. */
  hear({ levelDb, peak }: SoundLevel, nowMs: number): SoundAdvice {
    this.#aliveAtMs ??= nowMs;
    this.#fineAtMs ??= nowMs;
    if (peak >= CLIPPED_PEAK) this.#clippedAtMs = nowMs;
    if (levelDb > DEAD_DB) this.#aliveAtMs = nowMs;
    if (levelDb > FAINT_DB) this.#fineAtMs = nowMs;
    if (nowMs - this.#clippedAtMs < CLIPPING_MILLISECONDS) return 'clipping';
    if (nowMs - this.#aliveAtMs > DEAD_MILLISECONDS) return 'silent';
    return nowMs - this.#fineAtMs > FAINT_MILLISECONDS ? 'too-quiet' : 'none';
  }
}
