// Opus packets → sound at 48 kHz, by libopus.
//
// The encoder's delay (pre-skip) is not taken off here: where the sound starts and ends is the
// container's business. The library's class without a worker is used; see mp3.ts on its WebAssembly
// and Content-Security-Policy.

import { OpusDecoder } from 'opus-decoder';
import { OPUS_RATE, type OpusHead } from './opus-head.ts';
import type { NoteBadPacket, PacketDecoder } from './packets.ts';
import { fromXiphOrder, type PcmBlock } from './pcm.ts';
import { quietly } from './quietly.ts';

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
