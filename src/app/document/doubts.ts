// Which words the model was unsure of, from the log-probabilities of its ids.

import type { Token } from '../../engine/events.ts';
import type { Doubt } from './transcript.ts';

/**
 * A word is marked when one of its ids had less than an even chance (natural logarithm). Greedy decoding
 * takes the likeliest id, so below one half the others together were likelier than what was written.
 */
export const DOUBT_LOG_PROB = Math.log(0.5);

const words = new Intl.Segmenter('zh', { granularity: 'word' });

/** The unsure words of a segment. None when its ids do not spell its text. */
export function doubtsOf(text: string, tokens: readonly Token[]): Doubt[] {
  const spelled = tokens.map((token) => token.text).join('');
  const lead = spelled.length - spelled.trimStart().length;
  if (spelled.trim() !== text) return [];
  const likelihood = spread(tokens).slice(lead);
  const doubts: Doubt[] = [];
  for (const { index, segment, isWordLike } of words.segment(text)) {
    if (isWordLike !== true) continue;
    const end = index + segment.length;
    const logProb = Math.min(...likelihood.slice(index, end));
    if (logProb < DOUBT_LOG_PROB) doubts.push({ start: index, end, logProb });
  }
  return doubts;
}

/** Per UTF-16 unit of the spelled text, the log-probability of the id that completed it, or of one before that was part of it. */
function spread(tokens: readonly Token[]): number[] {
  const perUnit: number[] = [];
  let unfinished = 0;
  for (const { text, logProb } of tokens) {
    unfinished = Math.min(unfinished, logProb);
    if (text === '') continue;
    for (let i = 0; i < text.length; i++) perUnit.push(unfinished);
    unfinished = 0;
  }
  return perUnit;
}

/** What is left of the marks after an edit: those before and behind the place that changed, moved along. */
export function moveDoubts(doubts: readonly Doubt[], before: string, after: string): readonly Doubt[] {
  if (before === after || doubts.length === 0) return doubts;
  const { start, endBefore, endAfter } = changedRange(before, after);
  const shift = endAfter - endBefore;
  return doubts.flatMap((doubt) => {
    if (doubt.end <= start) return [doubt];
    if (doubt.start >= endBefore) {
      return [{ ...doubt, start: doubt.start + shift, end: doubt.end + shift }];
    }
    return [];
  });
}

/** The smallest stretch that turns one text into the other: [start, endBefore) became [start, endAfter). */
export function changedRange(
  before: string,
  after: string,
): { readonly start: number; readonly endBefore: number; readonly endAfter: number } {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let same = 0;
  while (same < most - start && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  return { start, endBefore: before.length - same, endAfter: after.length - same };
}
