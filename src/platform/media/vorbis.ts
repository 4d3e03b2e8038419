// Vorbis packets → sound, by libvorbis.
//
// The library is made for Ogg pages that its own parser cut; it also takes pages, so packets from
// any container go in as a page of our making. Its parser is left out on purpose: it does not notice
// a second stream in a chained file, and a hostile header can hold it for ever. See mp3.ts on its
// WebAssembly and Content-Security-Policy.

import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { AsrError } from '../../errors.ts';
import { hasText, viewOf } from './byte-source.ts';
import type { NoteBadPacket, PacketDecoder } from './packets.ts';
import { fromXiphOrder, type PcmBlock } from './pcm.ts';
import { quietly } from './quietly.ts';

/** The identification header (Vorbis I, section 4.2.2). */
export interface VorbisHead {
  readonly sampleRate: number;
  readonly channels: number;
}

/** Reads a Vorbis identification packet. Fails with `audio-malformed`. */
export function readVorbisHead(bytes: Uint8Array): VorbisHead {
  if (!hasText(bytes, 0, '\x01vorbis') || bytes.length < 30) throw badHeader('it is cut off');
  const channels = bytes[11] ?? 0;
  const sampleRate = viewOf(bytes).getUint32(12, true);
  if (channels === 0 || sampleRate === 0) throw badHeader(`${channels} channels at ${sampleRate} Hz`);
  return { sampleRate, channels };
}

/** The three headers that Matroska and MP4 keep in one piece, with Xiph lacing. */
export function splitVorbisHeaders(description: Uint8Array): { head: Uint8Array; setup: Uint8Array } {
  if (description[0] !== 2) throw badHeader('its three parts are not where they belong');
  let at = 1;
  const lengths = [0, 1].map(() => {
    let length = 0;
    for (let byte = 255; byte === 255; at++) {
      byte = description[at] ?? 0;
      length += byte;
    }
    return length;
  });
  const [headBytes = 0, commentBytes = 0] = lengths;
  return {
    head: description.subarray(at, at + headBytes),
    setup: description.subarray(at + headBytes + commentBytes),
  };
}

function badHeader(why: string): AsrError {
  return new AsrError('audio-malformed', `the Vorbis header is damaged: ${why}`);
}

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
      throw badHeader('its setup is not one');
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
