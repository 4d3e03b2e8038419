// Text → the pieces that people read it in: words, and single characters where a script has no spaces.

const PIECE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}][^\p{L}\p{N}]*|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+\s*|\s+/gu;

/**
 * Words with the space and punctuation that follow them; joined, they are the text again.
 *
 *   'turn left, 明天见'  →  ['turn ', 'left, ', '明', '天', '见']
 */
export function wordsOf(text: string): string[] {
  return text.match(PIECE) ?? [];
}
