// Bytes that come in stretches of any length → pieces of one length.

/** Pieces of `pieceBytes` bytes; the last one holds what is left. One piece is made in the memory of the one before. */
export async function* inPieces(
  stretches: AsyncIterable<Uint8Array>,
  pieceBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const piece = new Uint8Array(pieceBytes);
  let filled = 0;
  for await (const stretch of stretches) {
    for (let at = 0; at < stretch.length;) {
      const taken = Math.min(stretch.length - at, pieceBytes - filled);
      piece.set(stretch.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < pieceBytes) continue;
      yield piece;
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
