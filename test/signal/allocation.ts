// Measures what a hot path leaves on the heap.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that one call of `work` leaves behind, in the mean over `calls` calls without a collection. */
export function bytesPerCall(work: () => void, calls = 20_000): number {
  for (let i = 0; i < calls; i++) work(); // until compiled
  let least = Infinity;
  for (let attempt = 0; attempt < 3; attempt++) {
    collectGarbage();
    const before = process.memoryUsage();
    for (let i = 0; i < calls; i++) work();
    const after = process.memoryUsage();
    const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    least = Math.min(least, grown / calls);
  }
  return least;
}
