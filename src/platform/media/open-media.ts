// START HERE. Any audio file → its sound, piece by piece.
//
//   bytes ─► sniff ─► reader of that format ─► PCM blocks at the file's own rate
//
//   WAV, AIFF, SPHERE, raw     plain.ts       (samples read by signal/)
//   MP3, MP2, MP1              mp3.ts         libmpg123
//   FLAC                       flac.ts
//   Ogg Vorbis, Opus, FLAC     ogg.ts         libvorbis, libopus
//   MP4, WebM, ADTS, TS        container.ts   mediabunny, then the codec's packet decoder
//
// The same code runs in Node, in a page and in a worker; a platform may bring further packet decoders.
// Readers are loaded when a file needs them: together they are 300 kB compressed.

import { AsrError, isAsrError } from '../../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { id3Bytes } from './mpeg-frames.ts';
import type { OpenPacketDecoder } from './packets.ts';
import type { PcmSource } from './pcm.ts';
import { openRaw, openSoundFile, openSphere, type RawFormat } from './plain.ts';
import { sniff, SNIFF_BYTES, type MediaKind, type Sniffed } from './sniff.ts';

export interface MediaOptions {
  /** The bytes are samples without a header, as described. */
  readonly raw?: RawFormat;
  /** Decoders that the platform brings, for what ours do not know: the same samples everywhere matter more. */
  readonly platformDecoder?: OpenPacketDecoder;
}

/**
 * Opens an audio file by its content. The source stays the caller's to close.
 *
 * Fails with `audio-empty` (no bytes, or no sound in them), `audio-unsupported` (with what it is),
 * `audio-malformed`, `audio-truncated` or `audio-protected`.
 */
export async function openMedia(source: ByteSource, options: MediaOptions = {}): Promise<PcmSource> {
  const head = await source.read(0, SNIFF_BYTES);
  if (head.length === 0) throw new AsrError('audio-empty', 'the file is empty (0 bytes)');
  if (options.raw) return openRaw(source, options.raw);
  const { sniffed, soundAt } = await sniffBehindTag(source, head);
  switch (sniffed.kind) {
    case 'wav':
    case 'aiff':
      return openSoundFile(source);
    case 'sphere':
      return openSphere(source);
    case 'mpeg':
      return (await import('./mp3.ts')).openMp3(source, soundAt);
    case 'flac':
      return (await import('./flac.ts')).openFlac(source, soundAt);
    case 'ogg':
      return (await import('./ogg.ts')).openOgg(source);
    case 'mp4':
    case 'matroska':
    case 'adts':
    case 'mpeg-ts':
      return openIndexed(source, sniffed.kind, options);
    case 'foreign':
      throw new AsrError('audio-unsupported', `the file is ${sniffed.name}`);
  }
}

async function openIndexed(source: ByteSource, kind: MediaKind, options: MediaOptions): Promise<PcmSource> {
  // Only AAC behind a long tag comes here from a stream: see `readsForward`.
  if (!source.seekable) throw new AsrError('audio-unsupported', 'the file cannot be read while it arrives');
  return (await import('./container.ts')).openContainer(source, kind, decoderLadder(options.platformDecoder));
}

/** True for formats that are read from start to end; the others need their index first. */
export function readsForward(head: Uint8Array): boolean {
  return !['mp4', 'matroska', 'adts', 'mpeg-ts'].includes(sniff(head).kind);
}

/** An ID3 tag may stand in front of FLAC and AAC as well as MP3. */
async function sniffBehindTag(
  source: ByteSource,
  head: Uint8Array,
): Promise<{ sniffed: Sniffed; soundAt: number }> {
  const soundAt = id3Bytes(head, 0);
  if (soundAt === 0) return { sniffed: sniff(head), soundAt };
  const sniffed = sniff(await source.read(soundAt, SNIFF_BYTES));
  const believed = sniffed.kind === 'flac' || sniffed.kind === 'adts';
  return { sniffed: believed ? sniffed : { kind: 'mpeg' }, soundAt };
}

function decoderLadder(platformDecoder: OpenPacketDecoder | undefined): OpenPacketDecoder {
  return async (config) => {
    const { openOwnDecoder } = await import('./codecs.ts');
    try {
      return (await openOwnDecoder(config)) ?? (await platformDecoder?.(config));
    } catch (error) {
      // Ours reads this codec, but not this form of it.
      if (!isAsrError(error) || error.code !== 'audio-unsupported') throw error;
      const decoder = await platformDecoder?.(config);
      if (decoder === undefined) throw error;
      return decoder;
    }
  };
}
