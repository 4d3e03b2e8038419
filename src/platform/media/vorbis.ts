// Vorbis packets → sound, by libvorbis.
//
// The library is made for Ogg pages that its own parser cut; it also takes pages, so packets from
// any container go in as a page of our making. Its parser is left out on purpose: it does not notice
// a second stream in a chained file, and a hostile header can hold it for ever. See mp3.ts on its
// WebAssembly and Content-Security-Policy.

import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { hasText } from './byte-source.ts';
import type { NoteBadPacket, PacketDecoder } from './packets.ts';
import { fromXiphOrder, type PcmBlock } from './pcm.ts';
import { quietly } from './quietly.ts';
import { badVorbisHeader, readVorbisHead } from './vorbis-head.ts';

/** The library copies packets and headers into a buffer of this size, unchecked. */
const MAX_PACKET_BYTES = 128 * 1024;

type Pages = Parameters<OggVorbisDecoder['decodeOggPages']>[0];

export class VorbisPackets implements PacketDecoder {
  readonly #setup: Uint8Array;
  readonly #libvorbis: OggVorbisDecoder;
  #head: Uint8Array | undefined;

  private constructor(head: Uint8Array, setup: Uint8Array, libvorbis: OggVorbisDecoder) {
    this.#head = head;
    this.#setup = setup;
    this.#libvorbis = libvorbis;
  }

  /** Takes the identification and the setup packet; the comments between them are not needed. */
  static async start(head: Uint8Array, setup: Uint8Array): Promise<VorbisPackets> {
    readVorbisHead(head);
    if (!hasText(setup, 0, '\x05vorbis') || setup.length > MAX_PACKET_BYTES)
      throw badVorbisHeader('its setup is not one');
    const libvorbis = new OggVorbisDecoder();
    await libvorbis.ready;
    return new VorbisPackets(head, setup, libvorbis);
  }

  async decode(packets: readonly Uint8Array[], note: NoteBadPacket): Promise<readonly PcmBlock[]> {
    const sane = packets.filter((packet) => packet.length <= MAX_PACKET_BYTES);
    if (sane.length < packets.length) note('a Vorbis packet has too many bytes');
    if (sane.length === 0) return [];
    const page = {
      // The first page carries the headers.
      data: this.#head ?? new Uint8Array(1),
      codecFrames: sane.map((data) => ({ data, header: { vorbisSetup: this.#setup } })),
    };
    this.#head = undefined;
    const decoded = await quietly(() => this.#libvorbis.decodeOggPages([page] as unknown as Pages));
    for (const error of decoded.errors) note(`a Vorbis packet is damaged (${error.message})`);
    if (decoded.samplesDecoded === 0) return [];
    return [{ sampleRate: decoded.sampleRate, channels: fromXiphOrder(decoded.channelData) }];
  }

  flush(): Promise<readonly PcmBlock[]> {
    return Promise.resolve([]);
  }

  close(): void {
    this.#libvorbis.free();
  }
}
