// Measures what a hot path leaves on the heap.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Less than this: no object was made. Code that has not been compiled puts every fraction that it computes on the
 * heap, 16 bytes each; the smallest array takes 32, and one of numbers several times as much.
 */
export const NO_OBJECT_BYTES = 32;

/** Bytes that one call of `work` leaves behind, in the mean over `calls` calls, once it is compiled; tries until `enough`. */
export function bytesPerCall(work: () => void, calls = 20_000, enough = NO_OBJECT_BYTES): number {
  let least = Infinity;
  // The compiler works beside us and takes its time, above all on a busy machine.
  for (let attempt = 0; attempt < 40 && least >= enough; attempt++) {
    for (let i = 0; i < calls; i++) work();
    collectGarbage();
    const before = process.memoryUsage();
    for (let i = 0; i < calls; i++) work();
    const after = process.memoryUsage();
    const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    least = Math.min(least, grown / calls);
  }
  return least;
}
