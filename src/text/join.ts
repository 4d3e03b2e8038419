// Pieces of transcript → one text. Chinese runs on, other scripts take a space.

/** Characters that need no space beside them: Han, kana, CJK punctuation and full-width forms. */
const TIGHT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u;

/**
 * Joins pieces in order, with a space only where both neighbors are of a script that uses them.
 *
 *   ['明天早上', '别忘了开会']   →  '明天早上别忘了开会'
 *   ['turn left', 'at the light'] →  'turn left at the light'
 */
export function joinText(pieces: readonly string[]): string {
  return pieces
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '')
    .reduce((text, piece) => (text === '' ? piece : `${text}${separator(text, piece)}${piece}`), '');
}

function separator(before: string, after: string): string {
  const [last, first] = [[...before].at(-1) ?? '', [...after].at(0) ?? ''];
  return TIGHT.test(last) || TIGHT.test(first) ? '' : ' ';
}
