// Does this device compute this model rightly? It reads a clip whose text is known. A GPU that computes
// garbage says so here instead of in somebody's transcript.

import type { AudioBlock } from '../signal/units.ts';
import { joinText } from '../text/join.ts';
import type { Engine } from './engine.ts';
import { EXACT_OPTIONS } from './events.ts';

/** A short clip and what is said in it. */
export interface GoldenClip {
  /** 16 kHz, mono, at most 30 s. */
  readonly samples: Float32Array;
  readonly text: string;
}

export interface CheckResult {
  readonly verdict: 'right' | 'wrong';
  readonly text: string;
  readonly seconds: number;
  /** Why it is wrong, for people. */
  readonly why: string;
}

/** A model that is sure of nothing is guessing; right readings of clear speech lie near 0. */
const LEAST_MEAN_LOG_PROB = -3;

/**
 * Lets `engine` read `clip`. `exact` expects the very text (the sample model knows the clip); without it,
 * any text will do that is not empty, not a loop, and not a mere guess.
 */
export async function checkEngine(
  engine: Engine,
  clip: GoldenClip,
  { exact, signal }: { readonly exact: boolean; readonly signal: AbortSignal },
): Promise<CheckResult> {
  const startMs = performance.now();
  const audio = (async function* (): AsyncGenerator<AudioBlock> {
    yield { startSample: 0, samples: clip.samples };
  })();
  const pieces: string[] = [];
  let why = '';
  for await (const event of engine.transcribe(audio, { ...EXACT_OPTIONS, loopGuard: true }, signal)) {
    if (event.type !== 'final') continue;
    const { text, meanLogProb, flags } = event.segment;
    pieces.push(text);
    if (!(meanLogProb >= LEAST_MEAN_LOG_PROB))
      why ||= `it is unsure of every word (${meanLogProb.toFixed(1)})`;
    if (flags.length > 0) why ||= 'it goes in circles';
  }
  const text = joinText(pieces);
  if (text === '') why ||= 'it reads nothing';
  if (exact && text !== clip.text) why ||= `it reads "${text}" for "${clip.text}"`;
  return {
    verdict: why === '' ? 'right' : 'wrong',
    text,
    seconds: (performance.now() - startMs) / 1000,
    why,
  };
}
