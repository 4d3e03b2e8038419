// A second look at what level and periodicity took for speech (signal/activity.ts): a voice model behind the
// gain, asked about each utterance of a window. Strings, dishes and street noise go; whispers stay.
//
//   likelihood  ▁▁▅▇▇▆▁▇▇▅▁    spoken: much of it is near 1
//               ▁▁▂▁▂▃▁▂▁▂▁    whispered: little, but the sound has no pitch either
//               ▁▁▁▁▃▁▁▁▁▁▁    strings: little, with pitch
//
// It can only take away. Where the model fails, the first look stands alone.

import { AsrError } from '../errors.ts';
import { VOICE_FRAME_SAMPLES, type VoiceMemory, type VoiceModel } from '../ports.ts';
import { HopBuffer } from '../signal/hops.ts';
import { Periodicity } from '../signal/periodicity.ts';
import { HOP_SAMPLES } from '../signal/units.ts';
import type { AudioWindow, Utterance } from './segmenter.ts';

// Chosen on 1,900 stretches that the first look found in real and made sound (EVALUATION.md, "False text").

/** The best second of an utterance speaks for all of it: a sentence in the middle of music counts. */
const BEST_FRAMES = 31;
/** A word may be shorter than that: of an utterance, so much is lead and tail (0.85 s) … */
const MARGIN_FRAMES = 27;
/** … and no less than this is the word. */
const WORD_FRAMES = 8;
/** Mean likelihood of the best part of a sound with pitch: voices reach it, strings and a saxophone do not. */
const SPOKEN = 0.53;
/** Without pitch, of the best second: the model makes little of whispers, and less of dishes. */
const WHISPERED = 0.03;
/** The part of its hops that are periodic where a sound has pitch. */
const PITCHED_SHARE = 0.12;
const PITCHED_LIKENESS = 0.7;

export class SecondLook {
  readonly #voice: VoiceModel;
  #failure: AsrError | undefined;
  /** Of the sound before what is heard next, in this window or in the one before: music is known by its past. */
  #memory: VoiceMemory | undefined;
  #heard = new Impressions(0);

  constructor(voice: VoiceModel) {
    this.#voice = voice;
  }

  /** Why nothing is taken away any more (`voice-model-failed`). */
  get failure(): AsrError | undefined {
    return this.#failure;
  }

  /**
   * The window with those utterances in which somebody speaks or whispers; undefined where there is none.
   * Windows come in order of time; one that grows is heard only as far as it has grown.
   */
  async judge(window: AudioWindow): Promise<AudioWindow | undefined> {
    if (this.#failure !== undefined) return window;
    try {
      await this.#hear(window);
    } catch (cause) {
      // Better some false text than none at all.
      const found = `the voice model failed: ${cause instanceof Error ? cause.message : String(cause)}`;
      this.#failure = new AsrError('voice-model-failed', found, { cause });
      return window;
    }
    const utterances = window.utterances.filter((utterance) => this.#heard.isVoice(utterance));
    if (utterances.length === window.utterances.length) return window;
    return utterances.length === 0 ? undefined : { ...window, utterances };
  }

  async #hear({ startSample, samples }: AudioWindow): Promise<void> {
    if (this.#heard.startSample !== startSample) this.#heard = new Impressions(startSample);
    const from = this.#heard.likelihoods.length * VOICE_FRAME_SAMPLES;
    const frames = Math.floor((samples.length - from) / VOICE_FRAME_SAMPLES);
    if (frames <= 0) return;
    const fresh = samples.subarray(from, from + frames * VOICE_FRAME_SAMPLES);
    const { likelihoods, memory } = await this.#voice.hear(fresh, this.#memory);
    this.#memory = memory;
    this.#heard.add(fresh, likelihoods);
  }
}

/** What is known of one window, as far as it has been heard. */
class Impressions {
  readonly startSample: number;
  /** How likely somebody speaks, per frame. */
  readonly likelihoods: number[] = [];
  /** Whether the sound repeats itself as a voice does, per hop. */
  readonly #pitched: boolean[] = [];
  readonly #periodicity = new Periodicity();
  readonly #hops = new HopBuffer((hop) => {
    this.#periodicity.hear(hop);
    this.#pitched.push(this.#periodicity.likeness >= PITCHED_LIKENESS);
  });

  constructor(startSample: number) {
    this.startSample = startSample;
  }

  add(samples: Float32Array, likelihoods: Float32Array): void {
    this.#hops.push(samples);
    this.likelihoods.push(...likelihoods);
  }

  isVoice({ startSample, endSample }: Utterance): boolean {
    const [start, end] = [startSample - this.startSample, endSample - this.startSample];
    const likelihoods = this.likelihoods.slice(
      Math.floor(start / VOICE_FRAME_SAMPLES),
      Math.ceil(end / VOICE_FRAME_SAMPLES),
    );
    const hops = this.#pitched.slice(Math.floor(start / HOP_SAMPLES), Math.ceil(end / HOP_SAMPLES));
    if (hops.filter(Boolean).length < PITCHED_SHARE * hops.length)
      return bestMean(likelihoods, BEST_FRAMES) >= WHISPERED;
    const word = Math.min(Math.max(likelihoods.length - MARGIN_FRAMES, WORD_FRAMES), BEST_FRAMES);
    return bestMean(likelihoods, word) >= SPOKEN;
  }
}

/** The highest mean of `length` values in a row, or of all where there are fewer; 0 of none. */
function bestMean(values: readonly number[], length: number): number {
  const span = Math.min(length, values.length);
  let sum = 0;
  let best = 0;
  values.forEach((value, i) => {
    sum += value - (i >= span ? (values[i - span] ?? 0) : 0);
    if (i >= span - 1) best = Math.max(best, sum / span);
  });
  return best;
}
