// Opus packets → sound at 48 kHz, by libopus.
//
// The encoder's delay (pre-skip) is not taken off here: where the sound starts and ends is the
// container's business. The library's class without a worker is used; see mp3.ts on its WebAssembly
// and Content-Security-Policy.

import { OpusDecoder } from 'opus-decoder';
import { AsrError } from '../../errors.ts';
import { hasText, viewOf } from './byte-source.ts';
import type { NoteBadPacket, PacketDecoder } from './packets.ts';
import { fromXiphOrder, type PcmBlock } from './pcm.ts';
import { quietly } from './quietly.ts';

/** Opus always decodes to this rate, whatever was put in. */
export const OPUS_RATE = 48_000;

/** The identification header (RFC 7845, section 5.1). */
export interface OpusHead {
  readonly channels: number;
  /** Samples at 48 kHz to drop from the start. */
  readonly preSkip: number;
  /** To be applied to the sound, as a factor. */
  readonly gain: number;
  readonly streams: number;
  readonly coupledStreams: number;
  readonly mapping: readonly number[];
}

/** Reads an OpusHead packet. Fails with `audio-malformed`. */
export function readOpusHead(bytes: Uint8Array): OpusHead {
  if (!hasText(bytes, 0, 'OpusHead') || bytes.length < 19) throw badHead('it is cut off');
  const view = viewOf(bytes);
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  const common = {
    channels,
    preSkip: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
  };
  if (channels === 0 || (family === 0 && channels > 2)) throw badHead(`it states ${channels} channels`);
  if (family === 0)
    return { ...common, streams: 1, coupledStreams: channels - 1, mapping: [0, 1].slice(0, channels) };
  if (bytes.length < 21 + channels) throw badHead('its channel mapping is cut off');
  const streams = view.getUint8(19);
  const coupledStreams = view.getUint8(20);
  const mapping = [...bytes.subarray(21, 21 + channels)];
  const sane = streams > 0 && coupledStreams <= streams && streams + coupledStreams <= 255;
  if (!sane || mapping.some((to) => to !== 255 && to >= streams + coupledStreams)) {
    throw badHead('its channel mapping is impossible');
  }
  return { ...common, streams, coupledStreams, mapping };
}

function badHead(why: string): AsrError {
  return new AsrError('audio-malformed', `the Opus header is damaged: ${why}`);
}

/** Packets decoded in one call; the library keeps their sound apart until the call ends. */
const BATCH_PACKETS = 64;

export class OpusPackets implements PacketDecoder {
  readonly #head: OpusHead;
  readonly #libopus: OpusDecoder;

  private constructor(head: OpusHead, libopus: OpusDecoder) {
    this.#head = head;
    this.#libopus = libopus;
  }

  static async start(head: OpusHead): Promise<OpusPackets> {
    const libopus = new OpusDecoder({
      channels: head.channels,
      streamCount: head.streams,
      coupledStreamCount: head.coupledStreams,
      channelMappingTable: [...head.mapping],
      preSkip: 0,
    });
    await libopus.ready;
    return new OpusPackets(head, libopus);
  }

  async decode(packets: readonly Uint8Array[], note: NoteBadPacket): Promise<readonly PcmBlock[]> {
    const blocks: PcmBlock[] = [];
    for (let start = 0; start < packets.length; start += BATCH_PACKETS) {
      const block = this.#decodeBatch(packets.slice(start, start + BATCH_PACKETS), note);
      if (block) blocks.push(block);
    }
    return blocks;
  }

  #decodeBatch(packets: readonly Uint8Array[], note: NoteBadPacket): PcmBlock | undefined {
    // An empty packet would mean "conceal a loss" to libopus; longer ones than this do not exist.
    const sane = packets.filter((packet) => packet.length > 0 && packet.length <= 3840 * this.#head.channels);
    if (sane.length < packets.length) note('an Opus packet has no or too many bytes');
    const { channelData, errors, samplesDecoded } = quietly(() => this.#libopus.decodeFrames(sane));
    for (const error of errors) note(`an Opus packet is damaged (${error.message})`);
    if (samplesDecoded === 0) return undefined;
    const { gain } = this.#head;
    const channels = gain === 1 ? channelData : channelData.map((channel) => channel.map((x) => x * gain));
    return { sampleRate: OPUS_RATE, channels: fromXiphOrder(channels) };
  }

  flush(): Promise<readonly PcmBlock[]> {
    return Promise.resolve([]);
  }

  close(): void {
    this.#libopus.free();
  }
}
