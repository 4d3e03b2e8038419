// A window's features → the ids of each stretch in it. What the engine asks of a model; how several
// askers share one device is the implementation's business (here: one after the other).

import type { Decoder } from './decoder.ts';
import type { Sequence } from './decoder-runs.ts';
import type { Encoder } from './encoder.ts';
import { type GenerateEvent, generate } from './generate.ts';
import type { Prompt } from './prompt.ts';

/** A stretch of a window that is to be read by itself. */
export interface Span {
  /** Rows [start, end) of the window's audio embeddings. */
  readonly audioRows: readonly [start: number, end: number];
  /** Most new ids. */
  readonly budget: number;
}

/** One window to read. */
export interface Passage {
  /** [melBins, frames], finished log-mel. */
  readonly features: Float32Array;
  readonly frames: number;
  readonly prompt: Prompt;
  readonly spans: readonly Span[];
  /** End a text that repeats itself. */
  readonly loopGuard: boolean;
  /** A guess at the text of the only span; changes the work, never the ids. */
  readonly draft?: readonly number[];
}

/** `sequence` is the span's place in the passage. `work`, the last event, says where the time went. */
export type ReadEvent =
  | GenerateEvent
  | {
      readonly type: 'work';
      readonly encoderMs: number;
      readonly prefillMs: number;
      readonly stepsMs: number;
      readonly decoderRuns: number;
    };

export interface Reader {
  /** Yields ids as they are found. Aborting throws the signal's reason within one run of a graph. */
  read(passage: Passage, signal: AbortSignal): AsyncGenerator<ReadEvent, void>;
}

/** Spans decoded side by side: more gain little and hold more cache. */
const MAX_BATCH = 8;

/** Reads one passage at a time; the caller sees to that. */
export class SoloReader implements Reader {
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #stopIds: ReadonlySet<number>;

  constructor(encoder: Encoder, decoder: Decoder, stopIds: ReadonlySet<number>) {
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#stopIds = stopIds;
  }

  async *read(passage: Passage, signal: AbortSignal): AsyncGenerator<ReadEvent, void> {
    signal.throwIfAborted();
    const startMs = performance.now();
    const audio = await this.#encoder.encode(passage.features, 1, passage.frames);
    const encoderMs = performance.now() - startMs;
    const before = { ...this.#decoder.work };
    try {
      for (let at = 0; at < passage.spans.length; at += MAX_BATCH) {
        const spans = passage.spans.slice(at, at + MAX_BATCH);
        const sequences = spans.map(({ audioRows }): Sequence => ({ prompt: passage.prompt, audioRows }));
        const options = {
          stopIds: this.#stopIds,
          budgets: spans.map(({ budget }) => budget),
          loopGuard: passage.loopGuard,
          ...(passage.draft && { draft: passage.draft }),
        };
        for await (const event of generate(this.#decoder, sequences, audio, options, signal)) {
          yield { ...event, sequence: at + event.sequence };
        }
      }
    } finally {
      audio.dispose();
    }
    const { prefillMs, stepsMs, runs } = this.#decoder.work;
    yield {
      type: 'work',
      encoderMs,
      prefillMs: prefillMs - before.prefillMs,
      stepsMs: stepsMs - before.stepsMs,
      decoderRuns: runs - before.runs,
    };
  }
}
