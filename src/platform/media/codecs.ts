// The packet decoders that come with Sotto and run anywhere. A platform may offer more (a browser's
// WebCodecs) and hands them to `openMedia`. Each is loaded when the first file needs it.

import { pcmFormat, type PcmEncoding } from '../../signal/pcm.ts';
import { viewOf } from './byte-source.ts';
import { readOpusHead, type OpusHead } from './opus-head.ts';
import type { PacketDecoder, TrackConfig } from './packets.ts';
import type { PcmBlock } from './pcm.ts';
import { splitVorbisHeaders } from './vorbis-head.ts';

/** Opens one of our own decoders; undefined for codecs we have none for. */
export async function openOwnDecoder(config: TrackConfig): Promise<PacketDecoder | undefined> {
  switch (config.codec) {
    case 'opus':
      return (await import('./opus.ts')).OpusPackets.start(opusHeadOf(config));
    case 'vorbis': {
      const { head, setup } = splitVorbisHeaders(config.description ?? new Uint8Array(0));
      return (await import('./vorbis.ts')).VorbisPackets.start(head, setup);
    }
    case 'flac':
      return new (await import('./flac.ts')).FlacPackets(config.description);
    case 'aac':
      return new (await import('./aac/packets.ts')).AacPackets(config);
    case 'mp3':
      return (await import('./mp3-packets.ts')).Mp3Packets.start();
    default: {
      const encoding = PCM[config.codec];
      return encoding && new PcmPackets(encoding, config);
    }
  }
}

/** The header that the container keeps; without one, plain mono or stereo. */
export function opusHeadOf({ channels, description }: TrackConfig): OpusHead {
  if (description && description.length >= 19) return readOpusHead(description);
  const mapping = channels === 1 ? [0] : [0, 1];
  return {
    channels: mapping.length,
    preSkip: 0,
    gain: 1,
    streams: 1,
    coupledStreams: mapping.length - 1,
    mapping,
  };
}

/** mediabunny's names of plain samples. */
const PCM: Readonly<Record<string, PcmEncoding>> = {
  'pcm-u8': 'u8',
  'pcm-s8': 's8',
  'pcm-s16': 's16le',
  'pcm-s16be': 's16be',
  'pcm-s24': 's24le',
  'pcm-s24be': 's24be',
  'pcm-s32': 's32le',
  'pcm-s32be': 's32be',
  'pcm-f32': 'f32le',
  'pcm-f32be': 'f32be',
  'pcm-f64': 'f64le',
  'pcm-f64be': 'f64be',
  ulaw: 'mulaw',
  alaw: 'alaw',
};

class PcmPackets implements PacketDecoder {
  readonly #encoding: PcmEncoding;
  readonly #config: TrackConfig;

  constructor(encoding: PcmEncoding, config: TrackConfig) {
    this.#encoding = encoding;
    this.#config = config;
  }

  decode(packets: readonly Uint8Array[]): Promise<readonly PcmBlock[]> {
    return Promise.resolve(packets.map((packet) => this.#unpack(packet)));
  }

  #unpack(packet: Uint8Array): PcmBlock {
    const { channels, sampleRate } = this.#config;
    const format = pcmFormat(this.#encoding, channels);
    const interleaved = new Float32Array(Math.ceil(packet.length / format.unitBytes) * channels);
    const frames = format.unpack(viewOf(packet), 0, packet.length, interleaved);
    const separated = Array.from({ length: channels }, (_, c) =>
      Float32Array.from({ length: frames }, (__, i) => interleaved[i * channels + c] ?? 0),
    );
    return { sampleRate, channels: separated };
  }

  flush(): Promise<readonly PcmBlock[]> {
    return Promise.resolve([]);
  }

  close(): void {
    // Nothing is held.
  }
}
