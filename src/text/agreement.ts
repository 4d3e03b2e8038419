// Which words two readings agree on.

/**
 * The words two readings of the same audio begin with alike. The last word of the earlier reading only
 * counts when the later one has gone beyond it: until then it may still be growing.
 *
 *   'turn left at the'  +  'turn left at a light'  →  'turn left at'
 */
export function agreedPrefix(earlier: readonly string[], later: readonly string[]): readonly string[] {
  let n = 0;
  while (n < earlier.length && n < later.length - 1 && earlier[n]?.trim() === later[n]?.trim()) n++;
  return later.slice(0, n);
}
