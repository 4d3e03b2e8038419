// MPEG audio frames (layers I, II, III): where they start, how long they are, what they hold, and
// the information frame that LAME and others put first.
//
// Sources: ISO/IEC 11172-3 and 13818-3 (header), the Xing/Info and LAME tags as their authors
// published them, VBRI as Fraunhofer did.

import { hasText, viewOf } from './byte-source.ts';

export interface MpegFrame {
  /** Kept by all frames of one stream: MPEG version, layer, sample rate and mono or not. */
  readonly stream: string;
  readonly layer: 1 | 2 | 3;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  readonly bitrate: number;
  readonly frameBytes: number;
  /** Samples per channel. */
  readonly frameSamples: number;
  /** Bytes from the frame's start to its main data: header, checksum, side information (layer III). */
  readonly sideEnd: number;
}

/** Bytes of a header. */
export const MPEG_HEADER_BYTES = 4;

// kbit/s by bitrate index; 0 (free format) and 15 (forbidden) are not read.
const KBPS_1 = [
  [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
];
const KBPS_2_LAYER_1 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const KBPS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const RATES = [44_100, 48_000, 32_000];

/** The frame whose header stands at `at`, or undefined if none does. */
export function mpegFrameAt(bytes: Uint8Array, at: number): MpegFrame | undefined {
  if (at + MPEG_HEADER_BYTES > bytes.length) return undefined;
  const header = viewOf(bytes).getUint32(at, false);
  if (header >>> 21 !== 0x7ff) return undefined;
  const version = (header >>> 19) & 3; // 0: MPEG-2.5, 2: MPEG-2, 3: MPEG-1
  const layerBits = (header >>> 17) & 3; // 1: III, 2: II, 3: I
  const rate = RATES[(header >>> 10) & 3];
  const emphasis = header & 3;
  if (version === 1 || layerBits === 0 || rate === undefined || emphasis === 2) return undefined;
  const layer = (4 - layerBits) as 1 | 2 | 3;
  const kbps = kbpsTable(version, layer)[(header >>> 12) & 15];
  if (kbps === undefined || kbps === 0) return undefined;
  return describe(header, version, layer, rate / (version === 3 ? 1 : version === 2 ? 2 : 4), kbps * 1000);
}

function kbpsTable(version: number, layer: 1 | 2 | 3): readonly number[] {
  if (version === 3) return KBPS_1[layer - 1] ?? KBPS_2;
  return layer === 1 ? KBPS_2_LAYER_1 : KBPS_2;
}

function describe(
  header: number,
  version: number,
  layer: 1 | 2 | 3,
  sampleRate: number,
  bitrate: number,
): MpegFrame {
  const channels = ((header >>> 6) & 3) === 3 ? 1 : 2;
  const padding = (header >>> 9) & 1;
  const frameSamples = layer === 1 ? 384 : layer === 2 || version === 3 ? 1152 : 576;
  const slotBytes = layer === 1 ? 4 : 1;
  const slots = Math.floor(((frameSamples / 8 / slotBytes) * bitrate) / sampleRate) + padding;
  const sideBytes = version === 3 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
  const checksumBytes = (header >>> 16) & 1 ? 0 : 2;
  return {
    stream: `${version}.${layer} ${sampleRate} ${channels}`,
    layer,
    sampleRate,
    channels,
    bitrate,
    frameBytes: slots * slotBytes,
    frameSamples,
    sideEnd: MPEG_HEADER_BYTES + checksumBytes + sideBytes,
  };
}

/**
 * A frame that is believed: the next one follows where it ends and is of the same stream, or what
 * follows is out of `bytes`. Four random bytes look like a header once in a thousand times; two in
 * step do not.
 */
export function confirmedFrameAt(bytes: Uint8Array, at: number, frames = 2): MpegFrame | undefined {
  const first = mpegFrameAt(bytes, at);
  let next = at + (first?.frameBytes ?? 0);
  for (let n = 1; first && n < frames && next + MPEG_HEADER_BYTES <= bytes.length; n++) {
    const following = mpegFrameAt(bytes, next);
    if (!following) return trailingTagAt(bytes, next) ? first : undefined;
    if (following.stream !== first.stream) return undefined;
    next += following.frameBytes;
  }
  return first;
}

/** True where a tag stands that writers put behind the sound (ID3v1, APE, Lyrics3, another ID3v2). */
export function trailingTagAt(bytes: Uint8Array, at: number): boolean {
  return ['TAG', 'APETAGEX', 'LYRICS', 'ID3'].some((text) => hasText(bytes, at, text));
}

/** The bytes of the ID3v2 tag at `at`, header and footer included; 0 if none stands there. */
export function id3Bytes(bytes: Uint8Array, at: number): number {
  if (!hasText(bytes, at, 'ID3') || at + 10 > bytes.length) return 0;
  const size = bytes.subarray(at + 6, at + 10);
  if (size.some((byte) => byte > 0x7f)) return 0;
  const footerBytes = ((bytes[at + 5] ?? 0) & 0x10) === 0 ? 0 : 10;
  return 10 + footerBytes + size.reduce((sum, byte) => sum * 128 + byte, 0);
}

/** What the information frame that writers put first says about the whole. */
export interface MpegInformation {
  /** Frames behind this one. */
  readonly frames: number | undefined;
  /** Samples that the encoder put in front of and behind the sound. */
  readonly delaySamples: number;
  readonly paddingSamples: number;
}

/** Reads `frame` at `at` as an information frame (which holds no sound of its own), if it is one. */
export function informationAt(bytes: Uint8Array, at: number, frame: MpegFrame): MpegInformation | undefined {
  if (frame.layer !== 3) return undefined;
  if (hasText(bytes, at + 36, 'VBRI') && at + 54 <= bytes.length) {
    return { frames: viewOf(bytes).getUint32(at + 50, false), delaySamples: 0, paddingSamples: 0 };
  }
  // Some writers leave the checksum out of account when they place the tag.
  const tagAt = [0, -2, 2]
    .map((shift) => at + frame.sideEnd + shift)
    .find((place) => hasText(bytes, place, 'Xing') || hasText(bytes, place, 'Info'));
  return tagAt === undefined ? undefined : readXing(bytes, tagAt);
}

function readXing(bytes: Uint8Array, tagAt: number): MpegInformation {
  const flags = tagAt + 8 <= bytes.length ? viewOf(bytes).getUint32(tagAt + 4, false) : 0;
  const hasFrames = (flags & 1) === 1 && tagAt + 12 <= bytes.length;
  const frames = hasFrames ? viewOf(bytes).getUint32(tagAt + 8, false) : undefined;
  // Behind the optional fields: nine bytes of the encoder's name, then its settings.
  const fieldBytes = (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  const nameAt = tagAt + 8 + fieldBytes;
  const trims = nameAt + 24 <= bytes.length && bytes[nameAt] !== 0;
  const [a = 0, b = 0, c = 0] = trims ? bytes.subarray(nameAt + 21, nameAt + 24) : [];
  return { frames, delaySamples: (a << 4) | (b >> 4), paddingSamples: ((b & 15) << 8) | c };
}
