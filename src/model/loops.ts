// Greedy decoding can fall into a cycle: the same few ids over and over. This notices.

/** Longest cycle looked for, in ids. */
const MAX_CYCLE_IDS = 8;

/** People do say "no, no, no" and "哈哈哈哈"; four rounds and a dozen ids are beyond speech. */
const MIN_ROUNDS = 4;
const MIN_REPEATED_IDS = 12;

/**
 * Length of the cycle that `ids` ends in, or 0.
 *
 * A cycle of n = 1…8 ids counts once it has come round at least four times and covers at least twelve ids.
 */
export function cycleAtEnd(ids: readonly number[]): number {
  for (let n = 1; n <= MAX_CYCLE_IDS; n++) {
    if (repeatedIds(ids, n) >= Math.max(MIN_ROUNDS * n, MIN_REPEATED_IDS)) return n;
  }
  return 0;
}

/** `ids` with the cycle at its end said once. */
export function withoutCycle(ids: readonly number[]): readonly number[] {
  const n = cycleAtEnd(ids);
  return n === 0 ? ids : ids.slice(0, ids.length - repeatedIds(ids, n) + n);
}

/** How many ids at the end repeat with period `n`, the first round included. */
function repeatedIds(ids: readonly number[], n: number): number {
  let at = ids.length - 1;
  while (at >= n && ids[at] === ids[at - n]) at--;
  return ids.length - 1 - at + n;
}
