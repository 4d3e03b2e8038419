// MP3 as packets of a container, by libmpg123. See mp3.ts on its WebAssembly.

import { MPEGDecoder } from 'mpg123-decoder';
import { mpegFrameAt } from './mpeg-frames.ts';
import type { NoteBadPacket, PacketDecoder } from './packets.ts';
import type { PcmBlock } from './pcm.ts';
import { quietly } from './quietly.ts';

/** MP3 in MP4, MOV or Matroska. The container says what to trim, so the decoder does not. */
export class Mp3Packets implements PacketDecoder {
  readonly #mpg123: MPEGDecoder;
  #channels = 2;

  private constructor(mpg123: MPEGDecoder) {
    this.#mpg123 = mpg123;
  }

  static async start(): Promise<Mp3Packets> {
    const mpg123 = new MPEGDecoder({ enableGapless: false });
    await mpg123.ready;
    return new Mp3Packets(mpg123);
  }

  decode(packets: readonly Uint8Array[], note: NoteBadPacket): Promise<readonly PcmBlock[]> {
    // Containers are often wrong about the channels; mpg123 gives mono as two equal ones.
    const first = packets.map((packet) => mpegFrameAt(packet, 0)).find((frame) => frame !== undefined);
    this.#channels = first?.channels ?? this.#channels;
    const { channelData, errors, samplesDecoded, sampleRate } = quietly(() =>
      this.#mpg123.decodeFrames([...packets]),
    );
    for (const error of errors) note(error.message);
    const block = { sampleRate, channels: channelData.slice(0, this.#channels) };
    return Promise.resolve(samplesDecoded === 0 ? [] : [block]);
  }

  flush(): Promise<readonly PcmBlock[]> {
    return Promise.resolve([]);
  }

  close(): void {
    this.#mpg123.free();
  }
}
