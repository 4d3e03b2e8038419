// What is compared: reference and hypothesis in one and the same spelling.
//
//   1  Unicode NFKC           full-width ＡＢＣ１２ → ABC12, ㎏ → kg
//   2  particles              the rare characters in which some corpora write 嘅 and 㗎
//   3  script, by option      Traditional → Simplified, on both sides
//   4  lower case
//   5  punctuation, symbols   → space; kept: the apostrophe inside a word (don't), and point, comma or
//                             colon between digits (3.5, 1,000, 9:30)
//   6  spaces                 one between words, none beside a Chinese or Japanese character
//
// Numbers are left as they are: "15", "fifteen" and "十五" are different. No contraction is undone, no filler
// word dropped, and no Cantonese character replaced by a Mandarin one.

import { Converter } from 'opencc-js/t2cn';
import type { Script } from './choices.ts';

/**
 *   'Don’t wait, 3.5 km！'   →  "don't wait 3.5 km"
 *   '打开 iPhone，好吗？'     →  '打开iphone好吗'
 */
export function normalizeText(text: string, script: Script): string {
  const plain = text.normalize('NFKC').replace(RARE_PARTICLES, (rare) => PARTICLES[rare] ?? rare);
  return (script === 'fold' ? foldScript(plain) : plain)
    .toLowerCase()
    .replace(/[’ʼ`´]/g, "'")
    .replace(/[\p{P}\p{S}\p{C}]/gu, (mark, at: number, whole: string) =>
      belongsInside(mark, whole[at - 1], whole[at + mark.length]) ? mark : ' ',
    )
    .replace(/\s+/g, ' ')
    .replace(SPACE_BESIDE_CJK, '')
    .trim();
}

/** Scripts that are written without spaces, read character by character. */
const CJK = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー';
const CJK_CHARACTER = new RegExp(`^[${CJK}]$`, 'u');
const SPACE_BESIDE_CJK = new RegExp(`(?<=[${CJK}]) | (?=[${CJK}])`, 'gu');

/** True for one character of such a script. */
export function isCjk(character: string): boolean {
  return CJK_CHARACTER.test(character);
}

/** U+20E0F and U+210C9, as in the Hong Kong Cantonese Corpus. */
const PARTICLES: Readonly<Record<string, string>> = { '\u{20e0f}': '嘅', '\u{210c9}': '㗎' };
const RARE_PARTICLES = /[\u{20e0f}\u{210c9}]/gu;

function belongsInside(mark: string, before = '', after = ''): boolean {
  if (mark === "'") return /\p{L}/u.test(before) && /\p{L}/u.test(after);
  return /[.,:]/.test(mark) && /\d/.test(before) && /\d/.test(after);
}

/** OpenCC's tables, phrases included; they are large, so they are built when first asked for. */
let converters: readonly ((text: string) => string)[] | undefined;

function foldScript(text: string): string {
  converters ??= (['tw', 'hk'] as const).map((from) => Converter({ from, to: 'cn' }));
  return converters.reduce((folded, convert) => convert(folded), text);
}
