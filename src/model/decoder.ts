// The language model, one run at a time: prefill of a prompt, then one step per token, for one
// sequence or several side by side (right-padded, each at its own length).
//
// A run is told which rows of Concat(embed(ids), audio) stand where (`index`), which positions want a
// next id (`sel`), and how long each sequence then is. See graph-io.ts.

import { assert } from '../errors.ts';
import type { Runtime, Session, Tensor } from '../ports.ts';
import type { AudioEmbeds } from './encoder.ts';
import { DECODER_INPUT, DECODER_OUTPUT } from './graph-io.ts';
import { type CacheShape, KvCache } from './kv-cache.ts';
import type { Prompt } from './prompt.ts';

/** A next id and how likely the model thought it. */
export interface Prediction {
  readonly id: number;
  readonly logProb: number;
}

/** What one sequence is prefilled with: a prompt around some rows of the encoder's output. */
export interface Sequence {
  readonly prompt: Prompt;
  /** Rows [start, end) of `AudioEmbeds.tensor`. */
  readonly audioRows: readonly [start: number, end: number];
}

/** Length of a prefilled sequence. */
export function sequenceLength({ prompt, audioRows: [start, end] }: Sequence): number {
  return prompt.prefix.length + (end - start) + prompt.suffix.length;
}

/** Feeds of one run besides audio and cache. */
interface RunPlan {
  readonly ids: readonly number[];
  /** [rows, width], flattened: −1 − r stands for row r of the audio, else a place in `ids`. */
  readonly index: readonly number[];
  readonly rows: number;
  readonly sel: readonly number[];
  /** Length of each sequence after this run. */
  readonly lengths: readonly number[];
}

export class Decoder {
  readonly #runtime: Runtime;
  readonly #session: Session;
  readonly #cache: KvCache;
  readonly #activation: 'float32' | 'float16';
  readonly #textHidden: number;
  /** The row of zeros that stands for the audio once the prompt has been read. */
  #noAudio: Tensor | undefined;
  #lengths: number[] = [];
  /** Time and runs since the model was loaded. */
  readonly work = { prefillMs: 0, stepsMs: 0, runs: 0 };

  /** @param textHidden width of an audio row */
  constructor(
    runtime: Runtime,
    session: Session,
    shape: CacheShape,
    activation: 'float32' | 'float16',
    textHidden: number,
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#cache = new KvCache(runtime, shape, activation);
    this.#activation = activation;
    this.#textHidden = textHidden;
  }

  /** Positions held per sequence. */
  get lengths(): readonly number[] {
    return this.#lengths;
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
    const lengths = sequences.map(sequenceLength);
    await this.#cache.reset(sequences.length, Math.max(...lengths) + newTokens);
    return this.#run('prefillMs', prefillPlan(sequences, lengths), audio.tensor);
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
    const { ids, index } = prefillPlan([sequence], [length]);
    return this.#run(
      'prefillMs',
      {
        ids: [...ids, ...draft],
        index: [...index, ...draft.map((_, i) => ids.length + i)],
        rows: 1,
        sel: Array.from({ length: draft.length + 1 }, (_, i) => length - 1 + i),
        lengths: [length + draft.length],
      },
      audio.tensor,
    );
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
    this.#noAudio ??= await this.#runtime.zeros(this.#activation, [1, this.#textHidden]);
    return this.#run(
      'stepsMs',
      {
        ids: ids.map((id) => id ?? 0),
        index: ids.map((_, i) => i),
        rows: ids.length,
        sel: ids.map((_, i) => i),
        // An ended sequence writes over its own last position, which nobody reads again.
        lengths: this.#lengths.map((length, i) => (ids[i] === null ? length : length + 1)),
      },
      this.#noAudio,
    );
  }

  async release(): Promise<void> {
    this.#cache.dispose();
    this.#noAudio?.dispose();
    await this.#session.release();
  }

  async #run(stage: 'prefillMs' | 'stepsMs', plan: RunPlan, audio: Tensor): Promise<Prediction[]> {
    const startMs = performance.now();
    const feeds = this.#feeds(plan);
    try {
      const outputs = await this.#session.run(
        { ...feeds, [DECODER_INPUT.audio]: audio, ...this.#cache.feeds() },
        [DECODER_OUTPUT.ids, DECODER_OUTPUT.logProb, ...this.#cache.presentNames()],
        this.#cache.into(),
      );
      this.#cache.accept(outputs);
      this.#lengths = [...plan.lengths];
      return await this.#predictions(outputs);
    } finally {
      for (const tensor of Object.values(feeds)) tensor.dispose();
      this.work[stage] += performance.now() - startMs;
      this.work.runs++;
    }
  }

  #feeds({ ids, index, rows, sel, lengths }: RunPlan): Record<string, Tensor> {
    const place = (i: number): number => (i < 0 ? ids.length - 1 - i : i);
    const runtime = this.#runtime;
    return {
      [DECODER_INPUT.ids]: runtime.tensor('int64', bigints(ids), [ids.length]),
      [DECODER_INPUT.index]: runtime.tensor('int64', bigints(index.map(place)), [rows, index.length / rows]),
      [DECODER_INPUT.sel]: runtime.tensor('int64', bigints(sel), [sel.length]),
      [DECODER_INPUT.lastPosition]: runtime.tensor(
        'int32',
        Int32Array.from(lengths, (n) => n - 1),
        [rows],
      ),
      [DECODER_INPUT.totalLength]: runtime.tensor('int32', Int32Array.of(Math.max(...lengths)), []),
    };
  }

  async #predictions(outputs: Readonly<Record<string, Tensor>>): Promise<Prediction[]> {
    const idsOut = outputs[DECODER_OUTPUT.ids];
    const logProbOut = outputs[DECODER_OUTPUT.logProb];
    assert(idsOut !== undefined && logProbOut !== undefined, 'the run returned ids and log-probabilities');
    try {
      const ids = (await this.#runtime.read(idsOut)) as BigInt64Array;
      const logProbs = (await this.#runtime.read(logProbOut)) as Float32Array;
      return Array.from(ids, (id, i) => ({ id: Number(id), logProb: logProbs[i] ?? NaN }));
    } finally {
      idsOut.dispose();
      logProbOut.dispose();
    }
  }
}

/** Prompts side by side, right-padded to the longest; the pad repeats place 0 and is never looked at. */
function prefillPlan(sequences: readonly Sequence[], lengths: readonly number[]): RunPlan {
  const width = Math.max(...lengths);
  const ids: number[] = [];
  const index = sequences.flatMap(({ prompt, audioRows: [start, end] }, i) => {
    const prefixAt = ids.length;
    ids.push(...prompt.prefix, ...prompt.suffix);
    return [
      ...range(prefixAt, prefixAt + prompt.prefix.length),
      ...range(start, end).map((row) => -1 - row),
      ...range(prefixAt + prompt.prefix.length, ids.length),
      ...Array<number>(width - (lengths[i] ?? 0)).fill(0),
    ];
  });
  const sel = lengths.map((length, i) => i * width + length - 1);
  return { ids, index, rows: sequences.length, sel, lengths };
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

function bigints(numbers: readonly number[]): BigInt64Array {
  return BigInt64Array.from(numbers, BigInt);
}
