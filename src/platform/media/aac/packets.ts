// AAC packets → sound. AAC-LC as a whole; of HE-AAC its AAC-LC core, which holds everything up to half
// its rate (11 to 12 kHz as a rule: more than speech recognition hears). Main, LTP, SSR, LD, ELD and
// USAC are refused.
//
//   bits ─► channels (channel.ts) ─► spectra (spectrum.ts) ─► samples (filterbank.ts)
//
// Written here because no AAC decoder on npm is kept up, needs nothing native and has a licence that
// fits (see ARCHITECTURE.md). Source: ISO/IEC 14496-3:2009, subpart 4.

import { AsrError } from '../../../errors.ts';
import type { NoteBadPacket, PacketDecoder, TrackConfig } from '../packets.ts';
import type { PcmBlock } from '../pcm.ts';
import { AacBits, badPacket } from './bits.ts';
import { FRAME_LINES, readChannel, readWindows, type Channel, type Windows } from './channel.ts';
import { readAacConfig, readAdts, readProgram, type AacConfig } from './config.ts';
import { Filterbank } from './filterbank.ts';
import { NoiseSource, scaledSpectrum, shapeNoise, undoStereo, type MiddleSide } from './spectrum.ts';

/** Elements of a packet. */
const SINGLE = 0;
const PAIR = 1;
const COUPLING = 2;
const LOW_FREQUENCY = 3;
const DATA = 4;
const PROGRAM = 5;
const FILL = 6;
const END = 7;

/** Channels in WAV's order, by their order in the packet (table 1.19). */
const ORDERS: Readonly<Record<number, readonly number[]>> = {
  3: [1, 2, 0],
  4: [1, 2, 0, 3],
  5: [1, 2, 0, 3, 4],
  6: [1, 2, 0, 5, 3, 4],
  8: [1, 2, 0, 7, 3, 4, 5, 6],
};

/** No layout has more. */
const MAX_CHANNELS = 48;

export class AacPackets implements PacketDecoder {
  #config: AacConfig | undefined;
  readonly #noise = new NoiseSource();
  readonly #banks: Filterbank[] = [];

  /** Without a description every packet brings an ADTS header. Fails with `audio-unsupported`. */
  constructor({ description }: TrackConfig) {
    this.#config = description && description.length >= 2 ? readAacConfig(description) : undefined;
  }

  decode(packets: readonly Uint8Array[], note: NoteBadPacket): Promise<readonly PcmBlock[]> {
    return Promise.resolve(packets.map((packet) => this.#decodeOne(packet, note)));
  }

  /** A packet that cannot be read becomes silence, so that times stay right. */
  #decodeOne(packet: Uint8Array, note: NoteBadPacket): PcmBlock {
    try {
      return this.#decodeSound(packet);
    } catch (error) {
      if (!(error instanceof AsrError) || error.code !== 'audio-malformed') throw error;
      note(error.message);
      const silence = Array.from(
        { length: Math.max(1, this.#banks.length) },
        () => new Float32Array(FRAME_LINES),
      );
      return { sampleRate: this.#config?.sampleRate ?? 48_000, channels: silence };
    }
  }

  #decodeSound(packet: Uint8Array): PcmBlock {
    const adts = this.#config && packet[0] !== 0xff ? undefined : readAdts(packet);
    this.#config ??= adts?.config;
    if (!this.#config) throw badPacket('it has no header');
    const bits = new AacBits(adts ? packet.subarray(adts.start, adts.end) : packet);
    const channels = this.#readElements(bits, this.#config);
    if (channels.length === 0) throw badPacket('it holds no sound');
    const order = ORDERS[channels.length] ?? channels.keys();
    return {
      sampleRate: this.#config.sampleRate,
      channels: [...order].map((from) => channels[from] ?? new Float32Array(FRAME_LINES)),
    };
  }

  #readElements(bits: AacBits, { rateIndex }: AacConfig): Float32Array[] {
    const heard: Float32Array[] = [];
    for (;;) {
      const element = bits.take(3);
      bits.checkEnd();
      if (element === END) return heard;
      if (element !== FILL) bits.skip(element === PROGRAM ? 0 : 4);
      if (heard.length > MAX_CHANNELS) throw badPacket('it has too many channels');
      if (element === SINGLE || element === LOW_FREQUENCY) {
        heard.push(this.#single(readChannel(bits, rateIndex, undefined), heard.length));
      } else if (element === PAIR) {
        heard.push(...this.#pair(bits, rateIndex, heard.length));
      } else if (element === COUPLING) {
        throw new AsrError('audio-unsupported', 'the sound is AAC with coupled channels');
      } else {
        skipElement(bits, element);
      }
    }
  }

  #single(channel: Channel, place: number): Float32Array {
    return this.#join(scaledSpectrum(channel, this.#noise), channel, place);
  }

  #pair(bits: AacBits, rateIndex: number, place: number): Float32Array[] {
    const common = bits.flag() ? readWindows(bits, rateIndex) : undefined;
    const middleSide = common ? readMiddleSide(bits, common) : undefined;
    const left = readChannel(bits, rateIndex, common);
    const leftSpectrum = scaledSpectrum(left, this.#noise);
    const right = readChannel(bits, rateIndex, common);
    const rightSpectrum = scaledSpectrum(right, this.#noise);
    if (middleSide) undoStereo(leftSpectrum, rightSpectrum, left, right, middleSide);
    return [this.#join(leftSpectrum, left, place), this.#join(rightSpectrum, right, place + 1)];
  }

  #join(spectrum: Float64Array, channel: Channel, place: number): Float32Array {
    shapeNoise(spectrum, channel);
    const bank = (this.#banks[place] ??= new Filterbank());
    return bank.join(spectrum, channel.windows);
  }

  flush(): Promise<readonly PcmBlock[]> {
    return Promise.resolve([]);
  }

  close(): void {
    // Nothing is held outside this object.
  }
}

function readMiddleSide(bits: AacBits, { groups, bandCount }: Windows): MiddleSide {
  const marks = new Uint8Array(groups.length * bandCount);
  const mode = bits.take(2);
  if (mode === 3) throw badPacket('its stereo is of a reserved kind');
  if (mode === 1) for (let i = 0; i < marks.length; i++) marks[i] = bits.take(1);
  return { mode: mode === 0 ? 'none' : mode === 1 ? 'some' : 'all', marks };
}

/** Data of other programs, the layout once more, and filling (SBR travels in it). */
function skipElement(bits: AacBits, element: number): void {
  if (element === PROGRAM) {
    readProgram(bits);
  } else if (element === DATA) {
    const aligned = bits.flag();
    const count = bits.take(8);
    const more = count === 255 ? bits.take(8) : 0;
    if (aligned) bits.alignToByte();
    bits.skip(8 * (count + more));
  } else {
    const count = bits.take(4);
    const more = count === 15 ? bits.take(8) - 1 : 0;
    bits.skip(8 * (count + more));
  }
}
