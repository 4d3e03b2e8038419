// Compressed sound as containers hold it: packet by packet. Each codec answers this interface, be it
// WebAssembly, TypeScript or what a browser brings.

import type { PcmBlock } from './pcm.ts';

/** What a container says about a track; the description is the codec's own header, where it has one. */
export interface TrackConfig {
  /** `opus`, `vorbis`, `flac`, `mp3`, `aac`, `pcm-s16` … as mediabunny and WebCodecs spell it. */
  readonly codec: string;
  /** The WebCodecs codec string: `mp4a.40.2` and the like. */
  readonly codecString: string;
  readonly sampleRate: number;
  readonly channels: number;
  readonly description: Uint8Array | undefined;
}

/** Is told of a packet that could not be decoded; the decoder goes on with the next. */
export type NoteBadPacket = (what: string) => void;

/** Decodes the packets of one track, in order. */
export interface PacketDecoder {
  /** The sound these packets complete; some codecs answer a packet late. */
  decode(packets: readonly Uint8Array[], note: NoteBadPacket): Promise<readonly PcmBlock[]>;
  /** The sound still held back when the last packet was given. */
  flush(): Promise<readonly PcmBlock[]>;
  close(): void;
}

/** Opens a decoder for a track, or answers undefined when it does not know the codec. */
export type OpenPacketDecoder = (config: TrackConfig) => Promise<PacketDecoder | undefined>;
