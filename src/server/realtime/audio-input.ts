// Audio as Realtime clients send it (base64 of 24 kHz PCM, or telephone companding) → blocks at 16 kHz.

import { AsrError } from '../../errors.ts';
import { Resampler } from '../../signal/resample.ts';
import { type AudioBlock, SAMPLE_RATE } from '../../signal/units.ts';

export type InputFormat =
  { readonly type: 'audio/pcm'; readonly rate: number } | { readonly type: 'audio/pcmu' | 'audio/pcma' };

/** Most audio that waits to be read: whoever sends faster than it is read is stopped here. */
const MAX_WAITING_SAMPLES = 600 * SAMPLE_RATE;

/** One stretch of audio, filled from one side and read from the other. */
export class AudioInput {
  readonly #format: InputFormat;
  readonly #resampler: Resampler;
  readonly #blocks: AudioBlock[] = [];
  #waitingSamples = 0;
  #nextSample = 0;
  #ended = false;
  #wake = (): void => undefined;

  constructor(format: InputFormat) {
    this.#format = format;
    this.#resampler = new Resampler(format.type === 'audio/pcm' ? format.rate : 8000);
  }

  /** Samples at 16 kHz that have come in. */
  get samples(): number {
    return this.#nextSample;
  }

  /** Fails with `upload-malformed` and `upload-too-large`. */
  append(base64: string): void {
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.length === 0 && base64 !== '')
      throw new AsrError('upload-malformed', 'the audio is not base64');
    const input = samplesOf(bytes, this.#format);
    const output = new Float32Array(this.#resampler.maxOutputs(input.length));
    this.#add(output.subarray(0, this.#resampler.push(input, output, input.length)));
  }

  end(): void {
    if (this.#ended) return;
    const output = new Float32Array(this.#resampler.maxOutputs(0));
    this.#add(output.subarray(0, this.#resampler.finish(output)));
    this.#ended = true;
    this.#wake();
  }

  async *blocks(): AsyncGenerator<AudioBlock, void> {
    for (;;) {
      const block = this.#blocks.shift();
      if (block !== undefined) {
        this.#waitingSamples -= block.samples.length;
        yield block;
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #add(samples: Float32Array): void {
    if (samples.length === 0) return;
    if (this.#waitingSamples + samples.length > MAX_WAITING_SAMPLES) {
      throw new AsrError('upload-too-large', 'more audio waits than this server keeps');
    }
    this.#blocks.push({ startSample: this.#nextSample, samples });
    this.#nextSample += samples.length;
    this.#waitingSamples += samples.length;
    this.#wake();
  }
}

function samplesOf(bytes: Buffer, format: InputFormat): Float32Array {
  switch (format.type) {
    case 'audio/pcm':
      return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i) / 32_768);
    case 'audio/pcmu':
      return Float32Array.from(bytes, fromMuLaw);
    case 'audio/pcma':
      return Float32Array.from(bytes, fromALaw);
  }
}

/** G.711 µ-law. */
function fromMuLaw(code: number): number {
  const inverted = ~code & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 7)) - 0x84;
  return (inverted & 0x80 ? -magnitude : magnitude) / 32_768;
}

/** G.711 A-law. */
function fromALaw(code: number): number {
  const toggled = code ^ 0x55;
  const exponent = (toggled >> 4) & 7;
  const mantissa = ((toggled & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (toggled & 0x80 ? magnitude : -magnitude) / 32_768;
}
