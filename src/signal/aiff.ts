// AIFF and AIFF-C: what the chunks mean. Big-endian, except for samples of the kind `sowt`.
//
// Sources: Apple "Audio Interchange File Format 1.3" (1989), "AIFF-C draft" (1991); `sowt`, `in24`
// and their like as QuickTime writes them.

import { AsrError } from '../errors.ts';
import { pcmFormat, type PcmEncoding, type SampleFormat } from './pcm.ts';
import type { ChunkPlan, Dialect, SoundPlan } from './sound-file.ts';

const COMMON_BYTES = 18; // of 'COMM': channels, frames, bits, rate
const SOUND_HEAD_BYTES = 8; // of 'SSND': offset, block size
const UNKNOWN_SIZE = 0xffff_ffff;

/** Compression types whose samples have one size, whatever the header says of bits. */
const FIXED: Record<string, PcmEncoding> = {
  'raw ': 'u8',
  in24: 's24be',
  '42ni': 's24le',
  in32: 's32be',
  '23ni': 's32le',
  fl32: 'f32be',
  FL32: 'f32be',
  fl64: 'f64be',
  FL64: 'f64be',
  ulaw: 'mulaw',
  ULAW: 'mulaw',
  alaw: 'alaw',
  ALAW: 'alaw',
};
const BIG_ENDIAN: readonly PcmEncoding[] = ['s8', 's16be', 's24be', 's32be'];
const LITTLE_ENDIAN: readonly PcmEncoding[] = ['s8', 's16le', 's24le', 's32le'];

interface Common {
  readonly channels: number;
  readonly bits: number;
  readonly sampleRate: number;
  readonly compression: string;
}

/** `form` is 'AIFF' or 'AIFC'. */
export function aiffDialect(form: string): Dialect {
  let common: Common | undefined;

  function planSound(chunkBytes: number): SoundPlan {
    // The standard allows any order; no writer we know uses it, and it cannot be streamed.
    if (common === undefined) throw new AsrError('audio-unsupported', 'an AIFF whose samples come first');
    const format = sampleFormat(common);
    const unknown = chunkBytes === 0 || chunkBytes === UNKNOWN_SIZE;
    const bytes = unknown ? Infinity : Math.max(chunkBytes - SOUND_HEAD_BYTES, 0);
    return {
      header: {
        container: 'aiff',
        encoding: format.name,
        sampleRate: common.sampleRate,
        channels: common.channels,
        ...(unknown ? {} : { frames: Math.floor(bytes / format.unitBytes) }),
      },
      format,
      // The offset inside aligns samples to disk blocks; every known writer leaves it 0.
      skipBytes: SOUND_HEAD_BYTES,
      bytes,
      sizeIsTrue: !unknown,
      maxFrames: Infinity,
    };
  }

  return {
    littleEndian: false,
    plan(id, bytes): ChunkPlan {
      if (id === 'SSND') return { do: 'sound', sound: planSound(bytes) };
      return { do: id === 'COMM' ? 'collect' : 'skip' };
    },
    collected(_id, content) {
      common ??= readCommon(content, form);
    },
  };
}

function readCommon(content: DataView, form: string): Common {
  if (content.byteLength < COMMON_BYTES) {
    throw new AsrError('audio-malformed', `its "COMM" chunk has only ${content.byteLength} bytes`);
  }
  let compression = 'NONE';
  if (form === 'AIFC' && content.byteLength >= COMMON_BYTES + 4) {
    compression = '';
    for (let i = 0; i < 4; i++) compression += String.fromCharCode(content.getUint8(COMMON_BYTES + i));
  }
  return {
    channels: content.getUint16(0),
    bits: content.getUint16(6),
    sampleRate: readExtended(content, 8),
    compression,
  };
}

/**
 * The sampling rate: an 80-bit extended float (sign and 15-bit exponent, 64-bit mantissa with its
 * leading 1 written out), rounded to whole Hz. 22,254.5454…, the odd rate of early Macintoshes,
 * runs 20 millionths slow that way.
 */
function readExtended(content: DataView, at: number): number {
  const exponent = content.getUint16(at) - 16_383 - 63;
  const mantissa = content.getUint32(at + 2) * 2 ** 32 + content.getUint32(at + 6);
  return Math.round(mantissa * 2 ** exponent);
}

function sampleFormat({ channels, bits, compression }: Common): SampleFormat {
  if (channels === 0) throw new AsrError('audio-malformed', 'its header claims 0 channels');
  const fixed = Object.hasOwn(FIXED, compression) ? FIXED[compression] : undefined;
  if (fixed !== undefined) return pcmFormat(fixed, channels);
  if (!['NONE', 'twos', 'sowt'].includes(compression)) {
    throw new AsrError('audio-unsupported', `an AIFF compressed as "${compression.trim()}"`);
  }
  if (bits < 1 || bits > 32) throw new AsrError('audio-malformed', `samples of ${bits} bits`);
  const encodings = compression === 'sowt' ? LITTLE_ENDIAN : BIG_ENDIAN;
  return pcmFormat(encodings[Math.ceil(bits / 8) - 1]!, channels);
}
