// Full-width and half-width punctuation beside Chinese. Numbers, addresses and English are left alone.

import type { PunctuationWidth } from './transcript.ts';

const PAIRS: readonly (readonly [half: string, full: string])[] = [
  [',', '，'],
  ['.', '。'],
  ['?', '？'],
  ['!', '！'],
  [':', '：'],
  [';', '；'],
  ['(', '（'],
  [')', '）'],
];
const TO_FULL = new Map(PAIRS);
const TO_HALF = new Map(PAIRS.map(([half, full]) => [full, half]));

const HAN = '[\\p{Script=Han}，。？！：；（）、《》“”‘’]';
/** Half-width marks that touch Chinese on one side, with the blanks around them. */
const HALF_BESIDE_HAN = new RegExp(`(?<=${HAN})[ ]?([,.?!:;()])[ ]*|[ ]*([,.?!:;()])[ ]?(?=${HAN})`, 'gu');
const FULL = /([，。？！：；（）])(?=(.?))/gsu;

/**
 * The text with its punctuation in the wanted width.
 *
 *   'full':  '好的,明天见.'  →  '好的，明天见。'
 *   'half':  '好的，明天见。'  →  '好的, 明天见.'
 */
export function punctuated(text: string, width: PunctuationWidth): string {
  switch (width) {
    case 'as-read':
      return text;
    case 'full':
      return text.replace(HALF_BESIDE_HAN, (_, after?: string, before?: string) => {
        const mark = after ?? before ?? '';
        return TO_FULL.get(mark) ?? mark;
      });
    case 'half':
      return text.replace(FULL, (_, mark: string, next: string) => halfWidth(mark, next));
  }
}

/** Latin habit: a blank behind a mark, before an opening bracket; none at the end or before another mark. */
function halfWidth(mark: string, next: string): string {
  const half = TO_HALF.get(mark) ?? mark;
  if (mark === '（') return ` ${half}`;
  return next === '' || /[\s，。？！：；）]/u.test(next) ? half : `${half} `;
}
