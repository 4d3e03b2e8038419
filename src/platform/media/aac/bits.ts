// Bits and Huffman codes out of an AAC packet, most significant first.

import { AsrError } from '../../../errors.ts';
import type { Codebook } from './tables.ts';

/** A packet cannot be decoded; says why. */
export function badPacket(why: string): AsrError {
  return new AsrError('audio-malformed', `an AAC packet is damaged: ${why}`);
}

export class AacBits {
  readonly #bytes: Uint8Array;
  /** The next bit. */
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `count` ≤ 24 bits, not taken; zeros behind the end. */
  peek(count: number): number {
    const bytes = this.#bytes;
    const at = this.position >> 3;
    const word =
      ((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0);
    return (word << (this.position & 7)) >>> (32 - count);
  }

  take(count: number): number {
    if (count === 0) return 0;
    const value = this.peek(count);
    this.position += count;
    return value;
  }

  flag(): boolean {
    return this.take(1) === 1;
  }

  skip(count: number): void {
    this.position += count;
    this.checkEnd();
  }

  alignToByte(): void {
    this.position = (this.position + 7) & ~7;
  }

  get bitsLeft(): number {
    return this.#bytes.length * 8 - this.position;
  }

  /** Throws when more was read than there is. */
  checkEnd(): void {
    if (this.bitsLeft < 0) throw badPacket('it is cut off');
  }
}

/** Codes up to this long are read with one look-up. */
const FAST_BITS = 9;

/** Reads one symbol of a canonical code at a time. */
export class Huffman {
  readonly #symbols: Uint16Array;
  /** By the next nine bits: symbol · 16 + length, or 0 for longer codes. */
  readonly #fast = new Uint16Array(1 << FAST_BITS);
  readonly #counts: readonly number[];
  /** First code and first symbol's place of each length. */
  readonly #firstCode: number[] = [];
  readonly #firstPlace: number[] = [];

  constructor({ counts, symbols }: Codebook) {
    this.#symbols = Uint16Array.from(symbols);
    this.#counts = counts;
    let code = 0;
    let place = 0;
    counts.forEach((count, length) => {
      code <<= 1;
      this.#firstCode.push(code);
      this.#firstPlace.push(place);
      for (let i = 0; i < count; i++, code++, place++) {
        if (length > FAST_BITS) continue;
        const start = code << (FAST_BITS - length);
        const entry = ((this.#symbols[place] ?? 0) << 4) | length;
        this.#fast.fill(entry, start, start + (1 << (FAST_BITS - length)));
      }
    });
  }

  read(bits: AacBits): number {
    const entry = this.#fast[bits.peek(FAST_BITS)] ?? 0;
    if (entry !== 0) {
      bits.position += entry & 15;
      return entry >> 4;
    }
    for (let length = FAST_BITS + 1; length < this.#counts.length; length++) {
      const offset = bits.peek(length) - (this.#firstCode[length] ?? 0);
      if (offset < (this.#counts[length] ?? 0)) {
        bits.position += length;
        return this.#symbols[(this.#firstPlace[length] ?? 0) + offset] ?? 0;
      }
    }
    throw badPacket('a code that does not exist');
  }
}
