// WAV: what the chunks of a RIFF, RIFX (big-endian), RF64 or BW64 (64-bit sizes) file mean.
//
// Sources: Microsoft/IBM "Multimedia Programming Interface and Data Specifications 1.0" (RIFF),
// Microsoft WAVEFORMATEXTENSIBLE, EBU Tech 3306 and ITU-R BS.2088 (RF64, BW64).

import { AsrError } from '../errors.ts';
import { imaAdpcmFormat, msAdpcmFormat } from './adpcm.ts';
import { int24In32Format, pcmFormat, type PcmEncoding, type SampleFormat } from './pcm.ts';
import type { ChunkPlan, Dialect, SoundPlan } from './sound-file.ts';

/** wFormatTag values that we read. */
const TAG = { pcm: 1, msAdpcm: 2, float: 3, aLaw: 6, muLaw: 7, imaAdpcm: 0x11, extensible: 0xfffe };
/** Tags of formats that appear in the wild, to name what we refuse. */
const KNOWN_TAGS: Record<number, string> = {
  0x31: 'GSM 6.10',
  0x40: 'G.721',
  0x50: 'MPEG layer 2',
  0x55: 'MP3',
  0x161: 'Windows Media',
};
/** The last 14 bytes of the extensible format's identifier, when it stands for a plain format tag. */
const PLAIN_GUID_TAIL = '000000001000800000aa00389b71';

const UNKNOWN_SIZE = 0xffff_ffff;
/** Writers that cannot seek back leave sizes just below a power of two (sox: 0x7ffff000 less the header). */
const PLACEHOLDER_SIZES: readonly [number, number][] = [
  [0x7fff_0000, 0x7fff_ffff],
  [0xffff_0000, 0xffff_ffff],
];

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly blockBytes: number;
  readonly bits: number;
  readonly validBits: number;
  readonly channelMask: number | undefined;
  readonly coefficients: Int16Array;
}

/** `magic` is the file's first 12 bytes. */
export function wavDialect(magic: DataView): Dialect {
  const littleEndian = magic.getUint8(3) !== 0x58; // 'RIFX'
  const riffBytes = magic.getUint32(4, littleEndian);
  let bytesSeen = 4; // counted as the RIFF size counts: from behind itself on
  let format: Format | undefined;
  let longDataBytes: number | undefined;
  let factFrames: number | undefined;

  /** A size that was never written, as opposed to a chunk that really is empty. */
  const neverWritten = (): boolean =>
    riffBytes === 0 || riffBytes >= UNKNOWN_SIZE - 8 || riffBytes <= bytesSeen;

  function planSound(claimedBytes: number): SoundPlan {
    if (format === undefined)
      throw new AsrError('audio-malformed', 'its samples come before their description');
    const samples = sampleFormat(format, littleEndian);
    const long = claimedBytes === UNKNOWN_SIZE ? longDataBytes : undefined;
    const unknown =
      long === undefined && (claimedBytes === UNKNOWN_SIZE || (claimedBytes === 0 && neverWritten()));
    const bytes = unknown ? Infinity : (long ?? claimedBytes);
    const sizeIsTrue = !unknown && (long !== undefined || !isPlaceholder(claimedBytes));
    const capacity = Math.ceil(bytes / samples.unitBytes) * samples.unitFrames;
    // Only ADPCM pads its last block; for PCM a wrong `fact` chunk must not cut anything off.
    const maxFrames = samples.unitFrames > 1 && factFrames ? Math.min(factFrames, capacity) : Infinity;
    const frames =
      samples.unitFrames > 1 ? Math.min(maxFrames, capacity) : Math.floor(bytes / samples.unitBytes);
    return {
      header: {
        container: 'wav',
        encoding: samples.name,
        sampleRate: format.sampleRate,
        channels: format.channels,
        ...(sizeIsTrue ? { frames } : {}),
        ...(format.channelMask === undefined ? {} : { channelMask: format.channelMask }),
      },
      format: samples,
      skipBytes: 0,
      bytes,
      sizeIsTrue,
      maxFrames,
    };
  }

  return {
    littleEndian,
    plan(id, bytes): ChunkPlan {
      bytesSeen += 8;
      if (id === 'data') return { do: 'sound', sound: planSound(bytes) };
      bytesSeen += bytes + (bytes % 2);
      return { do: ['fmt ', 'ds64', 'fact'].includes(id) ? 'collect' : 'skip' };
    },
    collected(id, content) {
      if (id === 'fmt ') format ??= readFormat(content, littleEndian);
      if (id === 'ds64' && content.byteLength >= 16) longDataBytes = readLongSize(content, 8);
      if (id === 'fact' && content.byteLength >= 4) factFrames = content.getUint32(0, littleEndian);
    },
  };
}

function readFormat(content: DataView, littleEndian: boolean): Format {
  if (content.byteLength < 14) {
    throw new AsrError('audio-malformed', `its "fmt" chunk has only ${content.byteLength} bytes`);
  }
  const tag = content.getUint16(0, littleEndian);
  const blockBytes = content.getUint16(12, littleEndian);
  const channels = content.getUint16(2, littleEndian);
  // The earliest writers left the bits out (a WAVEFORMAT of 14 bytes).
  const bits = content.byteLength >= 16 ? content.getUint16(14, littleEndian) : (blockBytes / channels) * 8;
  const extensible = tag === TAG.extensible && content.byteLength >= 40;
  return {
    tag: extensible ? tagOfGuid(content, littleEndian) : tag,
    channels,
    sampleRate: content.getUint32(4, littleEndian),
    blockBytes,
    bits,
    validBits: extensible ? content.getUint16(18, littleEndian) || bits : bits,
    channelMask: extensible ? content.getUint32(20, littleEndian) : undefined,
    coefficients: tag === TAG.msAdpcm ? readCoefficients(content, littleEndian) : new Int16Array(0),
  };
}

/** The format tag inside an extensible header's identifier. */
function tagOfGuid(content: DataView, littleEndian: boolean): number {
  let tail = '';
  for (let i = 26; i < 40; i++) tail += content.getUint8(i).toString(16).padStart(2, '0');
  if (tail !== PLAIN_GUID_TAIL) throw new AsrError('audio-unsupported', 'a WAV of a private format');
  return content.getUint16(24, littleEndian);
}

/** The pairs of predictor coefficients in a Microsoft ADPCM header. */
function readCoefficients(content: DataView, littleEndian: boolean): Int16Array {
  if (content.byteLength < 22) return new Int16Array(0);
  const pairs = Math.min(content.getUint16(20, littleEndian), Math.floor((content.byteLength - 22) / 4));
  return Int16Array.from({ length: 2 * pairs }, (_, i) => content.getInt16(22 + 2 * i, littleEndian));
}

/** A 64-bit size; what does not fit a double is no size of a file. Always little-endian (RF64). */
function readLongSize(content: DataView, at: number): number | undefined {
  const bytes = Number(content.getBigUint64(at, true));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function sampleFormat(format: Format, littleEndian: boolean): SampleFormat {
  const { tag, channels, bits, blockBytes } = format;
  if (channels === 0) throw new AsrError('audio-malformed', 'its header claims 0 channels');
  switch (tag) {
    case TAG.pcm:
      return integerFormat(format, littleEndian);
    case TAG.float:
      if (bits !== 32 && bits !== 64) throw new AsrError('audio-malformed', `floats of ${bits} bits`);
      return pcmFormat(littleEndian ? `f${bits}le` : `f${bits}be`, channels);
    case TAG.aLaw:
      return pcmFormat('alaw', channels);
    case TAG.muLaw:
      return pcmFormat('mulaw', channels);
    case TAG.msAdpcm:
      return msAdpcmFormat(channels, blockBytes, format.coefficients);
    case TAG.imaAdpcm:
      return imaAdpcmFormat(channels, blockBytes);
    default: {
      const name = KNOWN_TAGS[tag] ?? `format 0x${tag.toString(16)}`;
      throw new AsrError('audio-unsupported', `a WAV that holds ${name}`);
    }
  }
}

const INTEGERS: Record<'le' | 'be', readonly PcmEncoding[]> = {
  le: ['u8', 's16le', 's24le', 's32le'],
  be: ['u8', 's16be', 's24be', 's32be'],
};

/** Integer samples stand at the top of their container, so the container's size is all that matters. */
function integerFormat(
  { channels, bits, validBits, blockBytes }: Format,
  littleEndian: boolean,
): SampleFormat {
  if (bits < 1 || bits > 32) throw new AsrError('audio-malformed', `samples of ${bits} bits`);
  const sampleBytes = Math.ceil(bits / 8);
  // Some writers give the valid bits as the size and tell of the container only here.
  const container = blockBytes / channels;
  const isContainer = Number.isInteger(container) && container >= sampleBytes && container <= 4;
  const bytes = isContainer ? container : sampleBytes;
  if (littleEndian && bytes === 4 && validBits === 24) return int24In32Format(channels);
  return pcmFormat(INTEGERS[littleEndian ? 'le' : 'be'][bytes - 1]!, channels);
}

function isPlaceholder(bytes: number): boolean {
  return PLACEHOLDER_SIZES.some(([low, high]) => bytes >= low && bytes <= high);
}
