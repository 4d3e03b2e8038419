// The browser's own decoders, for codecs that Sotto brings none for: Dolby, newer forms of AAC. Which of them
// there are depends on browser and system. Page and worker.
//
// They come after ours (open-media.ts), so that a recording gives the same samples in every browser and on
// Node, and a damaged packet costs no more than itself.

import type { NoteBadPacket, PacketDecoder, TrackConfig } from '../media/packets.ts';
import type { PcmBlock } from '../media/pcm.ts';

/** Opens the browser's decoder for a track; undefined where it has none. */
export async function openWebCodecsDecoder(config: TrackConfig): Promise<PacketDecoder | undefined> {
  if (!('AudioDecoder' in globalThis) || config.codecString === '') return undefined;
  const asked: AudioDecoderConfig = {
    codec: config.codecString,
    sampleRate: config.sampleRate,
    numberOfChannels: config.channels,
    ...(config.description && { description: config.description }),
  };
  // A codec string that the browser cannot even read is one that it cannot decode.
  const answer = await AudioDecoder.isConfigSupported(asked).catch(() => undefined);
  return answer?.supported === true ? new WebCodecsPackets(asked) : undefined;
}

class WebCodecsPackets implements PacketDecoder {
  readonly #config: AudioDecoderConfig;
  #decoder: AudioDecoder;
  #ready: PcmBlock[] = [];
  #failure: Error | undefined;
  #packets = 0;
  /** Called when the decoder has taken a packet, or given up. */
  #wake: () => void = () => undefined;

  constructor(config: AudioDecoderConfig) {
    this.#config = config;
    this.#decoder = this.#start();
  }

  async decode(packets: readonly Uint8Array[], note: NoteBadPacket): Promise<readonly PcmBlock[]> {
    for (const data of packets) {
      // Every packet is a key in sound. The time stamps only number them: times are counted in samples.
      const chunk = new EncodedAudioChunk({ type: 'key', timestamp: this.#packets++, data });
      this.#decoder.decode(chunk);
      if (this.#decoder.decodeQueueSize > QUEUED_PACKETS) await this.#drained();
      if (this.#failure !== undefined) this.#restart(note);
    }
    await this.#drained();
    if (this.#failure !== undefined) this.#restart(note);
    return this.#ready.splice(0);
  }

  async flush(): Promise<readonly PcmBlock[]> {
    // It fails for what was reported already.
    await this.#decoder.flush().catch(() => undefined);
    return this.#ready.splice(0);
  }

  close(): void {
    if (this.#decoder.state !== 'closed') this.#decoder.close();
  }

  #start(): AudioDecoder {
    const decoder = new AudioDecoder({
      output: (data) => {
        this.#ready.push(pcmOf(data));
        data.close();
      },
      error: (error) => {
        this.#failure = error;
        this.#wake();
      },
    });
    decoder.ondequeue = () => this.#wake();
    decoder.configure(this.#config);
    return decoder;
  }

  /** A decoder that met a bad packet is closed for good; a new one takes what follows. */
  #restart(note: NoteBadPacket): void {
    note(this.#failure?.message ?? 'the browser cannot decode it');
    this.#failure = undefined;
    this.#decoder = this.#start();
  }

  /** Until the decoder has taken all it was given, or given up. */
  async #drained(): Promise<void> {
    while (this.#decoder.state === 'configured' && this.#decoder.decodeQueueSize > 0) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** What may wait in the browser's decoder; its sound is held in ordinary memory. */
const QUEUED_PACKETS = 64;

function pcmOf(data: AudioData): PcmBlock {
  const { numberOfChannels, numberOfFrames, sampleRate } = data;
  const channels = Array.from({ length: numberOfChannels }, (_, planeIndex) => {
    const samples = new Float32Array(numberOfFrames);
    data.copyTo(samples, { planeIndex, format: 'f32-planar' });
    return samples;
  });
  return { sampleRate, channels };
}
