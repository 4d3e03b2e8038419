// Why an MP4 file cannot be read: a look at its boxes once mediabunny has given up on it.

import { AsrError } from '../../errors.ts';
import { hasText, viewOf, type ByteSource } from './byte-source.ts';

/** More than any index holds that matters here: the sample descriptions come early in it. */
const INDEX_BYTES = 1 << 20;
const MAX_BOXES = 1000;

/** The better explanation: `audio-protected` or `audio-truncated`, if the boxes tell of either. */
export async function explainMp4(source: ByteSource): Promise<AsrError | undefined> {
  const sizeBytes = source.sizeBytes ?? 0;
  let at = 0;
  for (let n = 0; n < MAX_BOXES && at + 8 <= sizeBytes; n++) {
    const head = await source.read(at, 16);
    const boxBytes = boxLength(head, sizeBytes - at);
    if (boxBytes < 8) return undefined;
    if (hasText(head, 4, 'moov')) {
      const index = await source.read(at, Math.min(boxBytes, INDEX_BYTES));
      if (isProtected(index)) return new AsrError('audio-protected', 'the sound in the file is encrypted');
    }
    at += boxBytes;
  }
  if (at <= sizeBytes) return undefined;
  return new AsrError(
    'audio-truncated',
    `the MP4 file ends at byte ${sizeBytes} of at least ${at}, without its index`,
  );
}

/** A box's length: 32 bits, 64 bits after a 1, or all that is left after a 0. */
function boxLength(head: Uint8Array, leftBytes: number): number {
  const view = viewOf(head);
  const short = view.getUint32(0, false);
  if (short === 0) return leftBytes;
  return short === 1 && head.length >= 16 ? Number(view.getBigUint64(8, false)) : short;
}

/** Sound that Common Encryption (`enca`) or FairPlay (`drms`) hides says so in its sample description. */
function isProtected(index: Uint8Array): boolean {
  for (let at = index.indexOf(0x73); at >= 0; at = index.indexOf(0x73, at + 1)) {
    if (hasText(index, at, 'stsd') && ['enca', 'drms'].some((name) => hasText(index, at + 16, name)))
      return true;
  }
  return false;
}
