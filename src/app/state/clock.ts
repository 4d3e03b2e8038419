// How long work will still take, told only once it can be told.

/** Before this much is done, or known, any figure would be a guess. */
const LEAST_SHARE = 0.02;
const LEAST_SECONDS = 2;

/** Seconds left when `share` (0…1) of the work took `elapsedSeconds`; undefined while nobody can know. */
export function secondsLeft(share: number, elapsedSeconds: number): number | undefined {
  if (share < LEAST_SHARE || elapsedSeconds < LEAST_SECONDS || share > 1) return undefined;
  return (elapsedSeconds / share) * (1 - share);
}
