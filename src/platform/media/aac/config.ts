// What an AAC track says of itself: the AudioSpecificConfig of MP4 and Matroska, the header of each
// ADTS frame (ISO/IEC 14496-3, 1.6 and 1.A.2), and the program config element they may refer to.

import { AsrError } from '../../../errors.ts';
import { AacBits, badPacket } from './bits.ts';
import { AAC_RATES } from './tables.ts';

export interface AacConfig {
  /** Of the core: spectral band replication, which would double it, is left out. */
  readonly sampleRate: number;
  /** Which tables to use: the place in `AAC_RATES`. */
  readonly rateIndex: number;
  /** 0: as the packets say. */
  readonly channels: number;
}

/** Object types whose core is AAC-LC; 5 and 29 add SBR and parametric stereo, which a decoder may leave out. */
const LOW_COMPLEXITY = 2;
const WITH_EXTENSION = [5, 29];
const NAMES: Readonly<Record<number, string>> = {
  1: 'AAC Main',
  3: 'AAC SSR',
  4: 'AAC LTP',
  23: 'AAC-LD',
  36: 'MPEG-4 ALS',
  39: 'AAC-ELD',
  42: 'xHE-AAC (USAC)',
};

/** Reads an AudioSpecificConfig. Fails with `audio-unsupported` for object types that are not built on AAC-LC. */
export function readAacConfig(description: Uint8Array): AacConfig {
  const bits = new AacBits(description);
  let objectType = readObjectType(bits);
  const rate = readRate(bits);
  const layout = bits.take(4);
  if (WITH_EXTENSION.includes(objectType)) {
    readRate(bits);
    objectType = readObjectType(bits);
  }
  if (objectType !== LOW_COMPLEXITY) throw unsupported(objectType);
  if (bits.flag()) throw new AsrError('audio-unsupported', 'the sound is AAC with frames of 960 samples');
  if (bits.flag()) bits.skip(14);
  bits.skip(1);
  const channels = layout === 0 ? readProgram(bits) : channelsOf(layout);
  bits.checkEnd();
  return { ...rate, channels };
}

function unsupported(objectType: number): AsrError {
  const name = NAMES[objectType] ?? `AAC of object type ${objectType}`;
  return new AsrError(
    'audio-unsupported',
    `the sound is ${name}; only AAC-LC and HE-AAC can be decoded here`,
  );
}

function readObjectType(bits: AacBits): number {
  const type = bits.take(5);
  return type === 31 ? 32 + bits.take(6) : type;
}

function readRate(bits: AacBits): { sampleRate: number; rateIndex: number } {
  const index = bits.take(4);
  if (index !== 15) return rateAt(index);
  const sampleRate = bits.take(24);
  // An odd rate uses the tables of the nearest one.
  const distances = AAC_RATES.map((rate) => Math.abs(Math.log(rate / sampleRate)));
  return { sampleRate, rateIndex: distances.indexOf(Math.min(...distances)) };
}

function rateAt(rateIndex: number): { sampleRate: number; rateIndex: number } {
  const sampleRate = AAC_RATES[rateIndex];
  if (sampleRate === undefined) throw badPacket('its sample rate does not exist');
  return { sampleRate, rateIndex };
}

function channelsOf(layout: number): number {
  return layout === 7 ? 8 : layout;
}

/** A program config element: how many channels there are (their places in the room are not needed). */
export function readProgram(bits: AacBits): number {
  bits.skip(4 + 2 + 4);
  const [front, side, back, lfe, data, coupling] = [4, 4, 4, 2, 3, 4].map((count) => bits.take(count));
  for (const mixBits of [4, 4, 3]) if (bits.flag()) bits.skip(mixBits);
  let channels = lfe ?? 0;
  for (let i = 0; i < (front ?? 0) + (side ?? 0) + (back ?? 0); i++) {
    channels += bits.flag() ? 2 : 1;
    bits.skip(4);
  }
  bits.skip(4 * ((lfe ?? 0) + (data ?? 0)) + 5 * (coupling ?? 0));
  bits.alignToByte();
  bits.skip(8 * bits.take(8));
  return channels;
}

/** Reads an ADTS header and says where its packet lies; undefined when the bytes do not start with one. */
export function readAdts(bytes: Uint8Array): { config: AacConfig; start: number; end: number } | undefined {
  const bits = new AacBits(bytes);
  if (bits.take(12) !== 0xfff) return undefined;
  bits.skip(1 + 2);
  const start = bits.flag() ? 7 : 9;
  const objectType = bits.take(2) + 1;
  const rate = rateAt(bits.take(4));
  bits.skip(1);
  const layout = bits.take(3);
  bits.skip(4);
  const end = bits.take(13);
  if (objectType !== LOW_COMPLEXITY) throw unsupported(objectType);
  return { config: { ...rate, channels: channelsOf(layout) }, start, end };
}
