// FLAC files: metadata skipped, frames decoded one after the other, damage stepped over.

import { AsrError } from '../../errors.ts';
import { ByteCursor, hasText, viewOf, type ByteSource } from './byte-source.ts';
import { OutOfBits } from './flac-bits.ts';
import {
  decodeFlacFrame,
  FLAC_HEADER_BYTES,
  flacHeaderAt,
  longestFrameBytes,
  type FlacHeader,
  type StreamInfo,
} from './flac-frame.ts';
import type { NoteBadPacket, PacketDecoder } from './packets.ts';
import { framesOf, noteDamage, type Damage, type PcmBlock, type PcmSource } from './pcm.ts';

/** Opens a FLAC file; `soundAt`: where a tag in front of it ends. Fails with `audio-malformed` when no frame is found in it. */
export async function openFlac(source: ByteSource, soundAt = 0): Promise<PcmSource> {
  const cursor = new ByteCursor(source, soundAt);
  const info = await readMetadata(cursor, source.sizeBytes);
  const header = await findFrame(cursor, info);
  if (!header) throw noFrame(info, cursor.position);
  const damage: Damage = { places: 0, first: undefined };
  const progress = { doneBytes: cursor.position, totalBytes: source.sizeBytes };
  const start = cursor.position;
  return {
    format: {
      container: 'FLAC',
      codec: 'flac',
      sampleRate: header.sampleRate,
      channels: header.channels,
    },
    durationSeconds: info?.totalSamples ? info.totalSamples / info.sampleRate : undefined,
    damage,
    progress: () => progress,
    close: () => undefined,
    blocks: (signal) => decodeFrom(new ByteCursor(source, start, signal), info, damage, progress),
  };
}

function noFrame(info: StreamInfo | undefined, position: number): AsrError {
  if (info?.totalSamples === 0 || info === undefined) {
    return new AsrError('audio-empty', 'the FLAC file holds no frame of sound');
  }
  return new AsrError(
    'audio-truncated',
    `the FLAC file ends at byte ${position}, before its first frame of sound`,
  );
}

/** Reads STREAMINFO and skips the other metadata (RFC 9639, section 8). */
async function readMetadata(
  cursor: ByteCursor,
  sizeBytes: number | undefined,
): Promise<StreamInfo | undefined> {
  await cursor.need(4);
  if (hasText(cursor.bytes, 0, 'fLaC')) cursor.skip(4);
  let info: StreamInfo | undefined;
  for (let last = false; !last && (await cursor.need(4));) {
    const head = viewOf(cursor.bytes).getUint32(0, false);
    // Where a block should be, a frame is: the writer forgot to mark its last block.
    if (head >>> 17 === 0x7ffc) break;
    const blockBytes = head & 0xff_ff_ff;
    last = head >>> 31 === 1;
    if (((head >>> 24) & 0x7f) === 0 && (await cursor.need(4 + 34))) info ??= readStreamInfo(cursor.bytes, 4);
    // A length that leads out of the file is wrong: the first frame is searched for from here.
    if (cursor.position + 4 + blockBytes > (sizeBytes ?? Infinity)) break;
    cursor.skip(4 + blockBytes);
  }
  return info;
}

/** The 34 bytes of STREAMINFO that start at `at`. */
export function readStreamInfo(bytes: Uint8Array, at: number): StreamInfo {
  const view = viewOf(bytes);
  const packed = view.getUint32(at + 10, false); // 20 bits rate, 3 bits channels − 1, 5 bits depth − 1, 4 bits of length
  return {
    sampleRate: packed >>> 12,
    channels: ((packed >>> 9) & 7) + 1,
    bitDepth: ((packed >>> 4) & 31) + 1,
    totalSamples: (packed & 15) * 2 ** 32 + view.getUint32(at + 14, false),
  };
}

const SEARCH_BYTES = 1 << 16;

/** Moves the cursor to the next frame header, or to the end of the file if there is none. */
async function findFrame(cursor: ByteCursor, info: StreamInfo | undefined): Promise<FlacHeader | undefined> {
  while ((await cursor.need(SEARCH_BYTES)) || cursor.bytes.length >= FLAC_HEADER_BYTES / 2) {
    const bytes = cursor.bytes;
    for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
      const header = flacHeaderAt(bytes, at, info);
      if (header) {
        cursor.skip(at);
        return header;
      }
    }
    cursor.skip(Math.max(1, bytes.length - FLAC_HEADER_BYTES));
    if (cursor.atEnd) break;
  }
  return undefined;
}

async function* decodeFrom(
  cursor: ByteCursor,
  info: StreamInfo | undefined,
  damage: Damage,
  progress: { doneBytes: number },
): AsyncGenerator<PcmBlock, void, undefined> {
  let samples = 0;
  for (;;) {
    const at = cursor.position;
    await cursor.need(FLAC_HEADER_BYTES);
    const here = flacHeaderAt(cursor.bytes, 0, info);
    const header = here ?? (await findFrame(cursor, info));
    if (!header) break; // what is left is a tag, or padding
    if (!here) noteDamage(damage, `byte ${at}: ${cursor.position - at} bytes that are no FLAC frame`);
    const block = await decodeNext(cursor, header, damage);
    progress.doneBytes = cursor.position;
    if (!block) continue;
    samples += framesOf(block);
    yield block;
  }
  checkLength(samples, info, damage, cursor.position);
}

/** Decodes the frame under the cursor and steps behind it; steps just over its sync code when it is damaged. */
async function decodeNext(
  cursor: ByteCursor,
  header: FlacHeader,
  damage: Damage,
): Promise<PcmBlock | undefined> {
  const isThere = await cursor.need(longestFrameBytes(header));
  try {
    const { block, frameBytes } = decodeFlacFrame(cursor.bytes, 0, header);
    cursor.skip(frameBytes);
    return block;
  } catch (error) {
    if (!(error instanceof OutOfBits) && !(error instanceof AsrError)) throw error;
    // A frame that the end of the file cuts off is no damage: the length will tell.
    const cutOff = error instanceof OutOfBits && !isThere;
    if (!cutOff)
      noteDamage(damage, `byte ${cursor.position}: ${error.message || 'a FLAC frame without end'}`);
    cursor.skip(2);
    return undefined;
  }
}

function checkLength(samples: number, info: StreamInfo | undefined, damage: Damage, position: number): void {
  if (samples === 0 && damage.first) {
    throw new AsrError('audio-malformed', `nothing in the FLAC file could be decoded (${damage.first})`);
  }
  if (samples === 0)
    throw new AsrError('audio-truncated', `the FLAC file ends in its first frame, at byte ${position}`);
  if (!info || samples >= info.totalSamples) return;
  const what = `${samples} of its ${info.totalSamples} samples`;
  if (damage.places > 0) {
    throw new AsrError('audio-malformed', `the FLAC file is damaged (${damage.first}); ${what} were decoded`);
  }
  throw new AsrError('audio-truncated', `the FLAC file ends at byte ${position} with ${what}`);
}

/** FLAC frames that come as packets of a container, one frame each. */
export class FlacPackets implements PacketDecoder {
  readonly #info: StreamInfo | undefined;

  /** `description`: what a container keeps in front: STREAMINFO with its block header, with or without `fLaC`. */
  constructor(description: Uint8Array | undefined) {
    const at = description && hasText(description, 0, 'fLaC') ? 8 : 4;
    this.#info = description && description.length >= at + 34 ? readStreamInfo(description, at) : undefined;
  }

  decode(packets: readonly Uint8Array[], note: NoteBadPacket): Promise<readonly PcmBlock[]> {
    const blocks = packets.map((packet) => this.#decodeOne(packet, note));
    return Promise.resolve(blocks.filter((block) => block !== undefined));
  }

  #decodeOne(packet: Uint8Array, note: NoteBadPacket): PcmBlock | undefined {
    try {
      const header = flacHeaderAt(packet, 0, this.#info);
      if (header) return decodeFlacFrame(packet, 0, header).block;
      note('a packet holds no FLAC frame');
    } catch (error) {
      if (!(error instanceof OutOfBits) && !(error instanceof AsrError)) throw error;
      note(error.message || 'a FLAC frame is cut off');
    }
    return undefined;
  }

  flush(): Promise<readonly PcmBlock[]> {
    return Promise.resolve([]);
  }

  close(): void {
    // Nothing is held.
  }
}
