// The language model over one batch: prefill of a prompt, then one step per token, for one sequence or
// several side by side (right-padded, each at its own length) that begin and end together.

import { assert } from '../errors.ts';
import type { Runtime } from '../ports.ts';
import {
  type DecoderRuns,
  type Prediction,
  type RunPlan,
  type Sequence,
  prefillPlan,
  sequenceLength,
} from './decoder-runs.ts';
import type { AudioEmbeds } from './encoder.ts';
import { type CacheShape, KvCache } from './kv-cache.ts';

export class Decoder {
  readonly #runs: DecoderRuns;
  readonly #cache: KvCache;
  #lengths: readonly number[] = [];

  constructor(runtime: Runtime, runs: DecoderRuns, shape: CacheShape, activation: 'float32' | 'float16') {
    this.#runs = runs;
    this.#cache = new KvCache(runtime, shape, activation);
  }

  /** Time and runs since the model was loaded. */
  get work(): DecoderRuns['work'] {
    return this.#runs.work;
  }

  /**
   * Reads the prompts of `sequences` and predicts the first id of each.
   * Room is made for `newTokens` more ids per sequence.
   */
  async prefill(
    sequences: readonly Sequence[],
    audio: AudioEmbeds,
    newTokens: number,
  ): Promise<Prediction[]> {
    const plan = prefillPlan(sequences);
    await this.#cache.reset(sequences.length, Math.max(...plan.lengths) + newTokens);
    return this.#prefill(plan, audio);
  }

  /**
   * Reads one prompt with a draft of its text behind it, and predicts the id after the prompt and after
   * each id of the draft, all in one run: `draft.length + 1` predictions.
   * Follow with `rewind` to the part of the draft that proved right.
   */
  async prefillDraft(
    sequence: Sequence,
    draft: readonly number[],
    audio: AudioEmbeds,
    newTokens: number,
  ): Promise<Prediction[]> {
    const length = sequenceLength(sequence);
    await this.#cache.reset(1, length + draft.length + newTokens);
    const { ids, index } = prefillPlan([sequence]);
    const plan = {
      ids: [...ids, ...draft],
      index: [...index, ...draft.map((_, i) => ids.length + i)],
      rows: 1,
      sel: Array.from({ length: draft.length + 1 }, (_, i) => length - 1 + i),
      lengths: [length + draft.length],
    };
    return this.#prefill(plan, audio);
  }

  /** Forgets all but the first `length` positions of the only sequence. */
  rewind(length: number): void {
    assert(this.#lengths.length === 1 && length <= (this.#lengths[0] ?? 0), 'rewind goes back, one sequence');
    this.#lengths = [length];
  }

  /**
   * Appends one id to every sequence and predicts the next one of each.
   * `null` leaves a sequence that has ended where it is.
   */
  async step(ids: readonly (number | null)[]): Promise<Prediction[]> {
    assert(ids.length === this.#lengths.length, 'one id per sequence');
    const { predictions, outputs, lengths } = await this.#runs.step(ids, this.#lengths, this.#cache);
    this.#cache.accept(outputs);
    this.#lengths = lengths;
    return predictions;
  }

  async release(): Promise<void> {
    this.#cache.dispose();
    await this.#runs.release();
  }

  async #prefill(plan: RunPlan, audio: AudioEmbeds): Promise<Prediction[]> {
    const { predictions, outputs } = await this.#runs.prefill(plan, audio.tensor, this.#cache);
    this.#cache.accept(outputs);
    this.#lengths = plan.lengths;
    return predictions;
  }
}
