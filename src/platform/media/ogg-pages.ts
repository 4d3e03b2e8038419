// Ogg pages and the packets they carry (RFC 3533): checked, put together, holes noticed.

import type { ByteCursor } from './byte-source.ts';
import { hasText, joined, viewOf } from './byte-source.ts';
import { noteDamage, type Damage } from './pcm.ts';

export interface OggPage {
  readonly serial: number;
  readonly sequence: number;
  /** Where the codec stands at the end of this page's last whole packet; −1 when none ends here. */
  readonly granule: number;
  readonly starts: boolean;
  readonly ends: boolean;
  readonly continued: boolean;
  readonly segments: readonly Uint8Array[];
  /** True when the last packet goes on in the next page. */
  readonly open: boolean;
}

const HEADER_BYTES = 27;
/** Sound comes in packets of kilobytes; only comments with pictures in them are larger. */
const MAX_PACKET_BYTES = 1 << 25;
const MAX_PAGE_BYTES = HEADER_BYTES + 255 + 255 * 255;

/** The next whole page, or undefined at the end; a page that the file cuts off sets `cut`. */
export async function nextOggPage(
  cursor: ByteCursor,
  damage: Damage,
): Promise<{ page: OggPage } | { cut: boolean }> {
  for (;;) {
    await cursor.need(MAX_PAGE_BYTES);
    const bytes = cursor.bytes;
    const at = findText(bytes, 'OggS');
    if (at < 0 && cursor.atEnd) return { cut: false };
    if (at !== 0) {
      if (at > 0) noteDamage(damage, `byte ${cursor.position}: ${at} bytes that are no Ogg page`);
      cursor.skip(at > 0 ? at : bytes.length - 3);
      continue;
    }
    const pageBytes = pageLength(bytes);
    if (pageBytes > bytes.length) return { cut: true };
    if (checksum(bytes.subarray(0, pageBytes)) === viewOf(bytes).getUint32(22, true)) {
      const page = readPage(bytes.slice(0, pageBytes));
      cursor.skip(pageBytes);
      return { page };
    }
    noteDamage(damage, `byte ${cursor.position}: an Ogg page with a wrong checksum`);
    cursor.skip(4);
  }
}

function findText(bytes: Uint8Array, text: string): number {
  for (let at = bytes.indexOf(text.charCodeAt(0)); at >= 0; at = bytes.indexOf(text.charCodeAt(0), at + 1)) {
    if (hasText(bytes, at, text)) return at;
  }
  return -1;
}

/** The length that a page's header states; Infinity when the header itself is cut off. */
function pageLength(bytes: Uint8Array): number {
  const segments = bytes[HEADER_BYTES - 1] ?? Infinity;
  if (HEADER_BYTES + segments > bytes.length) return Infinity;
  const lacing = bytes.subarray(HEADER_BYTES, HEADER_BYTES + segments);
  return HEADER_BYTES + segments + lacing.reduce((sum, length) => sum + length, 0);
}

function readPage(bytes: Uint8Array): OggPage {
  const view = viewOf(bytes);
  const flags = view.getUint8(5);
  const lacing = bytes.subarray(HEADER_BYTES, HEADER_BYTES + view.getUint8(26));
  const segments: Uint8Array[] = [];
  let start = HEADER_BYTES + lacing.length;
  let end = start;
  for (const length of lacing) {
    end += length;
    if (length === 255) continue;
    segments.push(bytes.subarray(start, end));
    start = end;
  }
  const open = lacing.length > 0 && lacing[lacing.length - 1] === 255;
  if (open) segments.push(bytes.subarray(start, end));
  return {
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    granule: Number(view.getBigInt64(6, true)),
    continued: (flags & 1) !== 0,
    starts: (flags & 2) !== 0,
    ends: (flags & 4) !== 0,
    segments,
    open,
  };
}

/** Puts the packets of one logical stream together, page by page. */
export class OggPackets {
  #begun: Uint8Array | undefined;
  #sequence: number | undefined;

  /** The packets that end in this page. A hole before it costs the packet that was under way. */
  take(page: OggPage, damage: Damage): Uint8Array[] {
    const follows = this.#sequence === undefined || page.sequence === (this.#sequence + 1) >>> 0;
    if (!follows) {
      noteDamage(damage, `Ogg page ${page.sequence} follows page ${this.#sequence}: pages are missing`);
      this.#begun = undefined;
    }
    this.#sequence = page.sequence;
    const packets = [...page.segments];
    const first = packets[0];
    if (page.continued && first) {
      if (this.#begun) packets[0] = joined(this.#begun, first);
      else packets.shift();
    }
    this.#begun = page.open ? packets.pop() : undefined;
    if ((this.#begun?.length ?? 0) > MAX_PACKET_BYTES) {
      noteDamage(damage, `Ogg page ${page.sequence} goes on with a packet that never ends`);
      this.#begun = undefined;
    }
    return packets;
  }
}

/** CRC-32 with polynomial 0x04c11db7, from zero and not inverted, the checksum field read as zero. */
function checksum(page: Uint8Array): number {
  let crc = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : (page[i] ?? 0);
    crc = (crc << 8) ^ (CRC32[(crc >>> 24) ^ byte] ?? 0);
  }
  return crc >>> 0;
}

const CRC32 = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
