// Checks a file against its manifest entry while its bytes come by, so that a wrong piece is noticed when
// the piece ends and not when the file does.

import { assert } from '../../errors.ts';
import { type FileEntry, PIECE_BYTES } from '../../model/manifest.ts';
import type { Sha256 } from './sha256.ts';

/** Follows one file from its first byte on. A file without a list of pieces is one single piece. */
export class PieceCheck {
  /** Everything before it is right. */
  pieceStartByte = 0;
  /** How far the check has come: inside the piece under way, or at its start. */
  atByte = 0;
  readonly #entry: FileEntry;
  readonly #sha256: Sha256;

  constructor(entry: FileEntry, sha256: Sha256) {
    this.#entry = entry;
    this.#sha256 = sha256;
    sha256.reset();
  }

  get done(): boolean {
    return this.atByte === this.#entry.bytes;
  }

  /** Bytes until the piece under way ends. */
  get roomBytes(): number {
    return this.#pieceEndByte - this.atByte;
  }

  /**
   * Takes the next bytes of the file, at most `roomBytes`. False when they end the piece and its hash is
   * wrong; the check then stands at the start of that piece again.
   */
  take(bytes: Uint8Array): boolean {
    assert(bytes.length <= this.roomBytes, 'a piece is not overrun');
    this.#sha256.update(bytes);
    this.atByte += bytes.length;
    if (this.roomBytes > 0) return true;
    const right = this.#sha256.hex() === this.#expected();
    this.#sha256.reset();
    if (right) this.pieceStartByte = this.atByte;
    else this.atByte = this.pieceStartByte;
    return right;
  }

  get #pieceEndByte(): number {
    const { bytes, pieces } = this.#entry;
    return pieces === undefined ? bytes : Math.min(bytes, this.pieceStartByte + PIECE_BYTES);
  }

  #expected(): string | undefined {
    const { sha256, pieces } = this.#entry;
    return pieces === undefined ? sha256 : pieces[this.pieceStartByte / PIECE_BYTES];
  }
}
