// One run of the decoder graph: which rows of Concat(embed(ids), audio) stand where (`index`), which
// positions want a next id (`sel`), and how long each sequence then is. See graph-io.ts.

import { assert } from '../errors.ts';
import type { Runtime, Session, Tensor } from '../ports.ts';
import { DECODER_INPUT, DECODER_OUTPUT } from './graph-io.ts';
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
export interface RunPlan {
  readonly ids: readonly number[];
  /** [rows, width], flattened: −1 − r stands for row r of the audio, else a place in `ids`. */
  readonly index: readonly number[];
  readonly rows: number;
  readonly sel: readonly number[];
  /** Length of each sequence after this run. */
  readonly lengths: readonly number[];
}

/** Keys and values as a run wants them, by the names of graph inputs and outputs. */
export interface CacheFeeds {
  readonly past: Readonly<Record<string, Tensor>>;
  readonly presentNames: readonly string[];
  /** Tensors to write present into, where past and present share their buffers. */
  readonly into?: Readonly<Record<string, Tensor>> | undefined;
}

export interface RunResult {
  readonly predictions: Prediction[];
  /** All outputs by name; the present tensors are the caller's. */
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** The decoder's session with what every run needs. */
export class DecoderRuns {
  readonly #runtime: Runtime;
  readonly #session: Session;
  readonly #activation: 'float32' | 'float16';
  readonly #textHidden: number;
  /** The row of zeros that stands for the audio once the prompt has been read. */
  #noAudio: Tensor | undefined;
  /** Time and runs since the model was loaded. */
  readonly work = { prefillMs: 0, stepsMs: 0, runs: 0 };

  /** @param textHidden width of an audio row */
  constructor(runtime: Runtime, session: Session, activation: 'float32' | 'float16', textHidden: number) {
    this.#runtime = runtime;
    this.#session = session;
    this.#activation = activation;
    this.#textHidden = textHidden;
  }

  /** Reads prompts. */
  async prefill(plan: RunPlan, audio: Tensor, cache: CacheFeeds): Promise<RunResult> {
    return this.#run('prefillMs', plan, audio, cache);
  }

  /** Appends one id to each sequence; `null` leaves one that has ended where it is. */
  async step(
    ids: readonly (number | null)[],
    lengths: readonly number[],
    cache: CacheFeeds,
  ): Promise<RunResult & { readonly lengths: readonly number[] }> {
    this.#noAudio ??= await this.#runtime.zeros(this.#activation, [1, this.#textHidden]);
    const places = ids.map((_, i) => i);
    // An ended sequence writes over its own last position, which nobody reads again.
    const grown = lengths.map((length, i) => (ids[i] === null ? length : length + 1));
    const plan = {
      ids: ids.map((id) => id ?? 0),
      index: places,
      rows: ids.length,
      sel: places,
      lengths: grown,
    };
    return { ...(await this.#run('stepsMs', plan, this.#noAudio, cache)), lengths: grown };
  }

  async release(): Promise<void> {
    this.#noAudio?.dispose();
    await this.#session.release();
  }

  async #run(
    stage: 'prefillMs' | 'stepsMs',
    plan: RunPlan,
    audio: Tensor,
    { past, presentNames, into }: CacheFeeds,
  ): Promise<RunResult> {
    const startMs = performance.now();
    const feeds = this.#feeds(plan);
    try {
      const outputs = await this.#session.run(
        { ...feeds, [DECODER_INPUT.audio]: audio, ...past },
        [DECODER_OUTPUT.ids, DECODER_OUTPUT.logProb, ...presentNames],
        into,
      );
      return { predictions: await this.#predictions(outputs), outputs };
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
export function prefillPlan(sequences: readonly Sequence[]): RunPlan {
  const lengths = sequences.map(sequenceLength);
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
