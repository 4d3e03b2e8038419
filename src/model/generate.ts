// Greedy decoding: prefill once, then one step per token, for one sequence or several side by side.
// No sampling, no penalty, no suppression: the reference's own recipe.

import type { Decoder } from './decoder.ts';
import { type Prediction, type Sequence, sequenceLength } from './decoder-runs.ts';
import type { AudioEmbeds } from './encoder.ts';
import { cycleAtEnd } from './loops.ts';

/** Why a text ended: the model said so, its budget ran out, or it went in circles. */
export type Ending = 'stop' | 'budget' | 'loop';

export type GenerateEvent =
  | { readonly type: 'token'; readonly sequence: number; readonly id: number; readonly logProb: number }
  | { readonly type: 'end'; readonly sequence: number; readonly ending: Ending };

export interface GenerateOptions {
  readonly stopIds: ReadonlySet<number>;
  /** Most new ids of each sequence. */
  readonly budgets: readonly number[];
  /** Ends a sequence that repeats itself (see loops.ts). Off, it runs into its budget. */
  readonly loopGuard: boolean;
  /** A guess at the text of the only sequence; changes the work, never the ids. */
  readonly draft?: readonly number[];
}

/**
 * Yields the ids of all sequences as they are found, then how each ended. The stop id is not yielded.
 *
 * No step is paid for after the last id. Aborting throws the signal's reason within one step.
 */
export async function* generate(
  decoder: Decoder,
  sequences: readonly Sequence[],
  audio: AudioEmbeds,
  options: GenerateOptions,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent, void> {
  signal.throwIfAborted();
  const { budgets, stopIds, loopGuard } = options;
  const texts = sequences.map((_, i) => new Text(i, budgets[i] ?? 0, stopIds, loopGuard));
  let predictions = yield* begin(decoder, sequences, audio, options, texts);
  for (;;) {
    for (const text of texts) yield* text.take(predictions[text.sequence]);
    if (texts.every((text) => text.ended)) return;
    signal.throwIfAborted();
    predictions = await decoder.step(texts.map((text) => text.next));
  }
}

/** The prefill, with or without a draft; returns what follows the accepted part of it. */
async function* begin(
  decoder: Decoder,
  sequences: readonly Sequence[],
  audio: AudioEmbeds,
  { draft = [], budgets, stopIds }: GenerateOptions,
  texts: readonly Text[],
): AsyncGenerator<GenerateEvent, Prediction[]> {
  const [sequence, text] = [sequences[0], texts[0]];
  const room = Math.max(...budgets);
  const usable = draft.findIndex((id) => stopIds.has(id));
  const guess = draft.slice(0, Math.min(usable < 0 ? draft.length : usable, Math.max(0, room - 1)));
  if (sequences.length !== 1 || guess.length === 0 || sequence === undefined || text === undefined) {
    return decoder.prefill(sequences, audio, room);
  }
  const predictions = await decoder.prefillDraft(sequence, guess, audio, room);
  let accepted = 0;
  while (accepted < guess.length && predictions[accepted]?.id === guess[accepted] && !text.ended) {
    yield* text.take(predictions[accepted]);
    if (!text.ended) accepted++;
  }
  decoder.rewind(sequenceLength(sequence) + accepted);
  return predictions.slice(accepted, accepted + 1);
}

/** One sequence's text under way: takes predictions, says what they mean. */
export class Text {
  readonly sequence: number;
  readonly #budget: number;
  readonly #stopIds: ReadonlySet<number>;
  readonly #loopGuard: boolean;
  readonly #ids: number[] = [];
  ended = false;

  constructor(sequence: number, budget: number, stopIds: ReadonlySet<number>, loopGuard: boolean) {
    this.sequence = sequence;
    this.#budget = budget;
    this.#stopIds = stopIds;
    this.#loopGuard = loopGuard;
  }

  /** The id to feed next; null once the text has ended. */
  get next(): number | null {
    return this.ended ? null : (this.#ids.at(-1) ?? null);
  }

  *take(prediction: Prediction | undefined): Generator<GenerateEvent> {
    if (this.ended || prediction === undefined) return;
    const { id, logProb } = prediction;
    if (this.#stopIds.has(id)) return yield this.#end('stop');
    if (this.#ids.length >= this.#budget) return yield this.#end('budget');
    this.#ids.push(id);
    yield { type: 'token', sequence: this.sequence, id, logProb };
    if (this.#loopGuard && cycleAtEnd(this.#ids) > 0) yield this.#end('loop');
    else if (this.#ids.length >= this.#budget) yield this.#end('budget');
  }

  #end(ending: Ending): GenerateEvent {
    this.ended = true;
    return { type: 'end', sequence: this.sequence, ending };
  }
}
