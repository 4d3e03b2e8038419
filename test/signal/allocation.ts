// Measures what a hot path leaves on the heap.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * One number that V8 puts on the heap. Code that has not been compiled yet does that with every
 * fraction it computes; an array or an object takes several times as much.
 */
export const BOXED_NUMBER_BYTES = 16;

/** Bytes that one call of `work` leaves behind, in the mean over `calls` calls, once it is compiled; tries until `enough`. */
export function bytesPerCall(work: () => void, calls = 20_000, enough = BOXED_NUMBER_BYTES): number {
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

/** Bytes of what is still in use, buffers included. */
export function liveBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
