// Sample formats: bytes as they lie in a file → samples in [−1, 1].
//
// Uncompressed PCM, float and the two telephone companding laws (ITU-T G.711). ADPCM, which
// packs a block of samples at a time, is in adpcm.ts and answers the same interface.

/**
 * How a stretch of bytes becomes interleaved samples.
 * A *unit* is what can be read on its own: one frame of PCM, one block of ADPCM.
 */
export interface SampleFormat {
  /** For people to read, as ffmpeg spells it: `pcm_s16le`. */
  readonly name: string;
  readonly unitBytes: number;
  readonly unitFrames: number;
  /**
   * Reads `byteCount` bytes at `at` into `out` (interleaved) and returns the frames written.
   * Bytes come in whole units, except at the end of the sound, where a part of one may remain.
   */
  unpack(bytes: DataView, at: number, byteCount: number, out: Float32Array): number;
}

/**
 * Above this a float is not sound: +96 dBFS, where even a file that stores 16-bit integers as
 * floats stays below. Such numbers, NaN and the infinities become 0.
 */
export const LOUDEST = 65_536;

/** The sample itself, or 0 for what is not a sound: NaN, ±∞ and numbers beyond `LOUDEST`. */
export function soundOrSilence(sample: number): number {
  return Math.abs(sample) <= LOUDEST ? sample : 0;
}

interface Encoding {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

const ENCODINGS = {
  u8: { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 128 },
  s8: { bytes: 1, read: (view, at) => view.getInt8(at) / 128 },
  s16le: { bytes: 2, read: (view, at) => view.getInt16(at, true) / 32_768 },
  s16be: { bytes: 2, read: (view, at) => view.getInt16(at, false) / 32_768 },
  s24le: { bytes: 3, read: (view, at) => signed24(view, at + 2, at + 1, at) },
  s24be: { bytes: 3, read: (view, at) => signed24(view, at, at + 1, at + 2) },
  s32le: { bytes: 4, read: (view, at) => view.getInt32(at, true) / 2_147_483_648 },
  s32be: { bytes: 4, read: (view, at) => view.getInt32(at, false) / 2_147_483_648 },
  f32le: { bytes: 4, read: (view, at) => soundOrSilence(view.getFloat32(at, true)) },
  f32be: { bytes: 4, read: (view, at) => soundOrSilence(view.getFloat32(at, false)) },
  f64le: { bytes: 8, read: (view, at) => soundOrSilence(view.getFloat64(at, true)) },
  f64be: { bytes: 8, read: (view, at) => soundOrSilence(view.getFloat64(at, false)) },
  mulaw: { bytes: 1, read: (view, at) => MU_LAW[view.getUint8(at)]! },
  alaw: { bytes: 1, read: (view, at) => A_LAW[view.getUint8(at)]! },
} as const satisfies Record<string, Encoding>;

export type PcmEncoding = keyof typeof ENCODINGS;

/** PCM in frames of `channels` samples, nothing between them. */
export function pcmFormat(encoding: PcmEncoding, channels: number): SampleFormat {
  const { bytes, read }: Encoding = ENCODINGS[encoding];
  return {
    name: `pcm_${encoding}`,
    unitBytes: bytes * channels,
    unitFrames: 1,
    unpack(view, at, byteCount, out) {
      const frames = Math.floor(byteCount / (bytes * channels));
      for (let i = 0; i < frames * channels; i++) out[i] = read(view, at + i * bytes);
      return frames;
    },
  };
}

/**
 * 24 valid bits in 32-bit containers. The standard puts them at the top; some writers put them at
 * the bottom. A used lowest byte proves "bottom", a used highest byte proves "top"; until one of
 * them shows up the standard is believed.
 */
export function int24In32Format(channels: number): SampleFormat {
  let place: 'unknown' | 'top' | 'bottom' = 'unknown';
  return {
    name: 'pcm_s24le_in_32',
    unitBytes: 4 * channels,
    unitFrames: 1,
    unpack(view, at, byteCount, out) {
      const frames = Math.floor(byteCount / (4 * channels));
      for (let i = 0; i < frames * channels; i++) {
        const word = view.getInt32(at + 4 * i, true);
        if (place === 'unknown') place = placeOf24(word);
        out[i] = (place === 'bottom' ? word << 8 : word) / 2_147_483_648;
      }
      return frames;
    },
  };
}

function placeOf24(word: number): 'unknown' | 'top' | 'bottom' {
  const highest = word >> 24;
  if (highest !== 0 && highest !== -1) return 'top';
  return (word & 0xff) !== 0 ? 'bottom' : 'unknown';
}

function signed24(view: DataView, high: number, middle: number, low: number): number {
  return ((view.getInt8(high) << 16) | (view.getUint8(middle) << 8) | view.getUint8(low)) / 8_388_608;
}

/** ITU-T G.711 µ-law: sign, 3-bit exponent, 4-bit mantissa, all inverted; 14-bit magnitude with bias 33. */
const MU_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 1) + 33) << ((bits >> 4) & 7)) - 33;
  return (bits & 0x80 ? -magnitude : magnitude) / 8192;
});

/** ITU-T G.711 A-law: every second bit inverted; 13-bit magnitude, the lowest segment linear. */
const A_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 0x0f) << 1) + 1;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 32) << (exponent - 1);
  return (bits & 0x80 ? magnitude : -magnitude) / 4096;
});
