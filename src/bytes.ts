// Pieces of bytes, or of samples, made one.

/** All of `parts`, one behind the other, in memory of its own. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return laidInto(new Uint8Array(totalLength(parts)), parts);
}

/** The same for numbers: blocks of samples, features of windows. */
export function joinFloats(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  return laidInto(new Float32Array(totalLength(parts)), parts);
}

function totalLength(parts: readonly ArrayLike<number>[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function laidInto<Whole extends Uint8Array | Float32Array>(
  whole: Whole,
  parts: readonly ArrayLike<number>[],
): Whole {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
