// Ogg files with Vorbis, Opus or FLAC in them: the stream with sound is picked out of those beside
// it (video, subtitles), chained files are read link after link, and the sound is trimmed to what
// the granule positions say.

import { AsrError, isAsrError } from '../../errors.ts';
import { ByteCursor, hasText, viewOf, type ByteSource } from './byte-source.ts';
import { FlacPackets, readStreamInfo } from './flac.ts';
import { nextOggPage, OggPackets, type OggPage } from './ogg-pages.ts';
import { OPUS_RATE, readOpusHead } from './opus-head.ts';
import type { PacketDecoder } from './packets.ts';
import {
  cut,
  framesOf,
  noteDamage,
  type AudioFormat,
  type Damage,
  type PcmBlock,
  type PcmSource,
} from './pcm.ts';
import { readVorbisHead } from './vorbis-head.ts';

/** One codec in Ogg, told by its first packet. */
interface OggCodec {
  readonly codec: 'vorbis' | 'opus' | 'flac';
  /** Rate of the sound and of the granule positions. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Granule position of the first sample that is heard. */
  readonly preSkip: number;
  /** Packets in front of the sound, this one included; FLAC may state 0: unknown. */
  readonly headerPackets: number;
  start(headers: readonly Uint8Array[]): Promise<PacketDecoder>;
}

/** Opens an Ogg file. Fails with `audio-unsupported`, `audio-empty` or `audio-malformed`. */
export async function openOgg(source: ByteSource): Promise<PcmSource> {
  const first = await firstLink(new ByteCursor(source, 0));
  const damage: Damage = { places: 0, first: undefined };
  const progress = { doneBytes: 0, totalBytes: source.sizeBytes };
  const format: AudioFormat = {
    container: 'Ogg',
    codec: first.codec.codec,
    sampleRate: first.codec.sampleRate,
    channels: first.codec.channels,
  };
  return {
    format,
    durationSeconds: source.seekable ? await durationOf(source, first) : undefined,
    damage,
    progress: () => progress,
    close: () => undefined,
    blocks: (signal) => decodeAll(new ByteCursor(source, 0, signal), damage, progress),
  };
}

interface Link {
  readonly serial: number;
  readonly codec: OggCodec;
}

/** Looks at the pages that open the file and picks the first stream with sound that we know. */
async function firstLink(cursor: ByteCursor): Promise<Link> {
  const damage: Damage = { places: 0, first: undefined };
  const found: string[] = [];
  for (;;) {
    const next = await nextOggPage(cursor, damage);
    if (!('page' in next)) {
      const why = damage.first ?? 'it ends before its first page of sound';
      throw new AsrError(
        next.cut ? 'audio-truncated' : 'audio-malformed',
        `nothing in the Ogg file can be read: ${why}`,
      );
    }
    if (!next.page.starts) throw noSound(found);
    const packet = next.page.segments[0] ?? new Uint8Array(0);
    const codec = codecOf(packet);
    if (codec) return { serial: next.page.serial, codec };
    found.push(foreignCodec(packet));
  }
}

function noSound(found: readonly string[]): AsrError {
  const streams = found.filter((name) => name !== '');
  if (streams.length > 0 && streams.every((name) => name.endsWith('video'))) {
    return new AsrError('audio-empty', 'the file is a video without sound');
  }
  return new AsrError(
    'audio-unsupported',
    `the Ogg file holds ${streams.join(' and ') || 'no sound that we know'}`,
  );
}

function foreignCodec(packet: Uint8Array): string {
  if (hasText(packet, 0, 'fishead')) return '';
  if (hasText(packet, 1, 'theora') || hasText(packet, 0, 'OVP80') || hasText(packet, 0, 'BBCD'))
    return 'video';
  return hasText(packet, 0, 'Speex') ? 'Speex sound' : 'a stream of an unknown codec';
}

function codecOf(packet: Uint8Array): OggCodec | undefined {
  if (hasText(packet, 0, 'OpusHead')) return opusIn(packet);
  if (hasText(packet, 0, '\x01vorbis')) return vorbisIn(packet);
  return hasText(packet, 0, '\x7fFLAC') && packet.length >= 51 ? flacIn(packet) : undefined;
}

function opusIn(packet: Uint8Array): OggCodec {
  const head = readOpusHead(packet);
  const { channels, preSkip } = head;
  const start = async (): Promise<PacketDecoder> => (await import('./opus.ts')).OpusPackets.start(head);
  return { codec: 'opus', sampleRate: OPUS_RATE, channels, preSkip, headerPackets: 2, start };
}

function vorbisIn(packet: Uint8Array): OggCodec {
  const { sampleRate, channels } = readVorbisHead(packet);
  const start = async ([head, , setup]: readonly Uint8Array[]): Promise<PacketDecoder> => {
    const { VorbisPackets } = await import('./vorbis.ts');
    return VorbisPackets.start(head ?? packet, setup ?? new Uint8Array(0));
  };
  return { codec: 'vorbis', sampleRate, channels, preSkip: 0, headerPackets: 3, start };
}

/** Mapping of FLAC to Ogg (RFC 9639, section 10.1): nine bytes, then `fLaC` and STREAMINFO. */
function flacIn(packet: Uint8Array): OggCodec {
  const { sampleRate, channels } = readStreamInfo(packet, 17);
  const stated = viewOf(packet).getUint16(7, false);
  const start = (): Promise<PacketDecoder> => Promise.resolve(new FlacPackets(packet.subarray(9)));
  return {
    codec: 'flac',
    sampleRate,
    channels,
    preSkip: 0,
    headerPackets: stated === 0 ? 0 : 1 + stated,
    start,
  };
}

const TAIL_BYTES = 1 << 17;

/** From the last page's position; unknown when that page belongs to another link of a chain. */
async function durationOf(source: ByteSource, first: Link): Promise<number | undefined> {
  const sizeBytes = source.sizeBytes ?? 0;
  const cursor = new ByteCursor(source, Math.max(0, sizeBytes - TAIL_BYTES));
  const damage: Damage = { places: 0, first: undefined };
  let last: OggPage | undefined;
  for (
    let next = await nextOggPage(cursor, damage);
    'page' in next;
    next = await nextOggPage(cursor, damage)
  ) {
    if (next.page.granule >= 0) last = next.page;
  }
  if (last?.serial !== first.serial) return undefined;
  return Math.max(0, last.granule - first.codec.preSkip) / first.codec.sampleRate;
}

async function* decodeAll(
  cursor: ByteCursor,
  damage: Damage,
  progress: { doneBytes: number },
): AsyncGenerator<PcmBlock, void, undefined> {
  let track: OggTrack | undefined;
  let opening = false;
  let heard = 0;
  try {
    for (;;) {
      const next = await nextOggPage(cursor, damage);
      progress.doneBytes = cursor.position;
      if (!('page' in next)) {
        checkEnd(next.cut, heard, damage, cursor.position);
        return;
      }
      const { page } = next;
      if (page.starts && !opening) {
        track?.close();
        track = undefined; // a new link of the chain: its streams are others
      }
      opening = page.starts;
      if (page.starts && !track) track = OggTrack.open(page);
      if (page.serial !== track?.serial) continue;
      const blocks: readonly PcmBlock[] | undefined = await takePage(track, page, damage);
      if (!blocks) {
        track.close();
        track = undefined; // another link of the chain may be whole
      }
      for (const block of blocks ?? []) {
        heard += framesOf(block);
        yield block;
      }
    }
  } finally {
    track?.close();
  }
}

/** The sound of a page, or undefined when the stream's headers are damaged and nothing can come of it. */
async function takePage(
  track: OggTrack,
  page: OggPage,
  damage: Damage,
): Promise<readonly PcmBlock[] | undefined> {
  try {
    return await track.take(page, damage);
  } catch (error) {
    if (!isAsrError(error)) throw error;
    noteDamage(damage, `Ogg page ${page.sequence}: ${error.message}`);
    return undefined;
  }
}

function checkEnd(cut: boolean, heard: number, damage: Damage, position: number): void {
  if (cut)
    throw new AsrError('audio-truncated', `the Ogg file ends in the middle of the page at byte ${position}`);
  if (heard > 0) return;
  if (damage.first)
    throw new AsrError('audio-malformed', `nothing in the Ogg file could be decoded (${damage.first})`);
  throw new AsrError('audio-empty', 'the Ogg file holds no sound');
}

/** The stream with sound in one link of the chain. */
class OggTrack {
  readonly serial: number;
  readonly #codec: OggCodec;
  readonly #packets = new OggPackets();
  readonly #headers: Uint8Array[] = [];
  #decoder: PacketDecoder | undefined;
  /** Granule position of the decoder's first sample; known once the first page of sound is through. */
  #origin: number | undefined;
  #decoded = 0;

  private constructor(serial: number, codec: OggCodec) {
    this.serial = serial;
    this.#codec = codec;
  }

  static open(page: OggPage): OggTrack | undefined {
    const codec = codecOf(page.segments[0] ?? new Uint8Array(0));
    return codec && new OggTrack(page.serial, codec);
  }

  /** The sound that this page completes, trimmed. */
  async take(page: OggPage, damage: Damage): Promise<PcmBlock[]> {
    const packets = this.#packets.take(page, damage).filter((packet) => !this.#takeHeader(packet));
    if (packets.length === 0 && !page.ends) return [];
    if (!this.#decoder) {
      if (packets.length === 0) return [];
      this.#decoder = await this.#codec.start(this.#headers);
    }
    const note = (what: string): void => noteDamage(damage, `Ogg page ${page.sequence}: ${what}`);
    const blocks = await this.#decoder.decode(packets, note);
    return this.#trim(blocks, page);
  }

  #takeHeader(packet: Uint8Array): boolean {
    const { codec, headerPackets } = this.#codec;
    // FLAC's metadata cannot be mistaken for a frame, whatever number of blocks was stated.
    const isHeader = codec === 'flac' ? packet[0] !== 0xff : this.#headers.length < headerPackets;
    if (isHeader && this.#headers.length < Math.max(3, headerPackets)) this.#headers.push(packet);
    return isHeader;
  }

  /** Drops what lies before the first heard sample and, on the last page, behind the stated end. */
  #trim(blocks: readonly PcmBlock[], page: OggPage): PcmBlock[] {
    const frames = blocks.reduce((sum, block) => sum + framesOf(block), 0);
    this.#origin ??= originOf(page, frames);
    const origin = this.#origin ?? 0;
    const skip = this.#codec.preSkip - Math.min(0, origin) - this.#decoded;
    const end = page.ends && page.granule >= 0 ? page.granule - origin - this.#decoded : frames;
    this.#decoded += frames;
    return cut(blocks, skip, end);
  }

  close(): void {
    this.#decoder?.close();
  }
}

/**
 * The granule position of the first sample of the first page with sound, which holds `frames`.
 * Above 0 when a recording starts in the middle of a broadcast; below 0 when its first samples are
 * not to be heard. A first page that is also the last states where the sound ends, not where it starts.
 */
function originOf(page: OggPage, frames: number): number | undefined {
  if (page.granule < 0) return undefined;
  return page.ends ? Math.max(0, page.granule - frames) : page.granule - frames;
}
