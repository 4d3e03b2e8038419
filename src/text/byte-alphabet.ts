// The byte alphabet of byte-level BPE vocabularies.
//
// Every byte is written as one printable character: bytes 33–126, 161–172 and 174–255 as the character
// with the same code point, the other 68 bytes, in increasing order, as code points 256…323
// (so a space is "Ġ", a newline "Ċ"). Source: the GPT-2 tokenizer, whose convention the checkpoint follows.

import { AsrError } from '../errors.ts';

function isPrintable(byte: number): boolean {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/** Character of each byte, by byte. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
})();

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

/** The bytes that a vocabulary entry stands for. Fails with `tokenizer-unsupported` for a foreign character. */
export function bytesOfToken(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTE_OF_CHARACTER.get(token.charAt(i));
    if (byte === undefined) {
      throw new AsrError('tokenizer-unsupported', `vocabulary entry "${token}" is not byte-level`);
    }
    bytes[i] = byte;
  }
  return bytes;
}
