// Any audio file → blocks at 16 kHz, mono: what the engine takes.
//
//   open-media (PCM at the file's rate) ─► downmix ─► resample ─► blocks of a second

import { AsrError } from '../../errors.ts';
import { Downmix } from '../../signal/downmix.ts';
import { soundOrSilence } from '../../signal/pcm.ts';
import { Resampler } from '../../signal/resample.ts';
import { SAMPLE_RATE, type AudioBlock } from '../../signal/units.ts';
import type { ByteSource } from './byte-source.ts';
import { openMedia, type MediaOptions } from './open-media.ts';
import { framesOf, type AudioFormat, type Damage, type PcmBlock, type Progress } from './pcm.ts';

export interface AudioOptions extends MediaOptions {
  /** How channels become one: weighed by what they hold (default), or the plain average of references. */
  readonly downmix?: 'weighted' | 'average';
}

/** An audio file, opened. */
export interface AudioFile {
  readonly format: AudioFormat;
  /** As the file states it; may be off for files without an index, and is unknown while an upload arrives. */
  readonly durationSeconds: number | undefined;
  /** Places that had to be skipped so far because the file is damaged there. */
  readonly damage: Readonly<Damage>;
  /** Bytes of the file that have become sound. */
  progress(): Progress;
  /**
   * The sound, for one walk: decoded as it is asked for, in bounded memory whatever the length.
   *
   * Fails with `audio-truncated` or `audio-malformed` (the message says where), after everything
   * before that place was given; with `audio-empty` when there was none. When the walk ends, fails
   * or is left, the file is closed.
   */
  blocks(signal?: AbortSignal): AsyncGenerator<AudioBlock, void, undefined>;
  /** For a file that is not walked. Safe to call at any time. */
  close(): Promise<void>;
}

/**
 * Opens an audio file and takes over its source: it is closed with the file, also when opening fails.
 * Fails as `openMedia` does.
 */
export async function openAudio(source: ByteSource, options: AudioOptions = {}): Promise<AudioFile> {
  try {
    const media = await openMedia(source, options);
    const { format, durationSeconds, damage } = media;
    const close = async (): Promise<void> => {
      media.close();
      await source.close();
    };
    return {
      format,
      durationSeconds,
      damage,
      progress: () => media.progress(),
      async *blocks(signal) {
        try {
          yield* toAudioBlocks(media.blocks(signal), format.channelMask, options.downmix);
        } finally {
          await close();
        }
      },
      close,
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** PCM of any rate and number of channels, also changing, as blocks of a second. */
export async function* toAudioBlocks(
  pcm: AsyncIterable<PcmBlock>,
  channelMask: number | undefined,
  downmix: AudioOptions['downmix'],
): AsyncGenerator<AudioBlock, void, undefined> {
  const blocks = new Blocks();
  let chain: Chain | undefined;
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const block of pcm) {
      if (!chain?.fits(block)) {
        chain?.finish(blocks);
        chain = new Chain(block, channelMask, downmix);
      }
      chain.push(block, blocks);
      yield* blocks.whole();
    }
  } catch (error) {
    if (!(error instanceof AsrError)) throw error;
    failure = { error };
  }
  // What came before a failure is given, then the failure.
  chain?.finish(blocks);
  yield* blocks.rest();
  if (failure) throw failure.error;
  if (blocks.startSample === 0) throw new AsrError('audio-empty', 'the file holds no sound');
}

/** Rates between telephone noise and the fastest converters sold. */
const MIN_RATE = 1000;
const MAX_RATE = 768_000;

/** Downmix and resampler for a stretch with one rate and number of channels. */
class Chain {
  readonly #sampleRate: number;
  readonly #channels: number;
  readonly #downmix: Downmix;
  readonly #resampler: Resampler;
  #interleaved = new Float32Array(0);
  #mono = new Float32Array(0);
  #out = new Float32Array(0);

  constructor(
    { sampleRate, channels }: PcmBlock,
    channelMask: number | undefined,
    mode: AudioOptions['downmix'],
  ) {
    if (!Number.isInteger(sampleRate) || sampleRate < MIN_RATE || sampleRate > MAX_RATE) {
      throw new AsrError('audio-malformed', `the file claims ${sampleRate} samples per second`);
    }
    this.#sampleRate = sampleRate;
    this.#channels = channels.length;
    this.#downmix = new Downmix({ sampleRate, channels: channels.length, channelMask, mode });
    this.#resampler = new Resampler(sampleRate);
  }

  fits({ sampleRate, channels }: PcmBlock): boolean {
    return sampleRate === this.#sampleRate && channels.length === this.#channels;
  }

  push(block: PcmBlock, blocks: Blocks): void {
    const frames = framesOf(block);
    this.#interleaved = roomFor(this.#interleaved, frames * this.#channels);
    interleave(block, this.#interleaved);
    this.#mono = roomFor(this.#mono, this.#downmix.maxOutputs(frames));
    this.#resample(this.#downmix.push(this.#interleaved, frames, this.#mono), blocks);
  }

  finish(blocks: Blocks): void {
    this.#mono = roomFor(this.#mono, this.#downmix.maxOutputs(0));
    this.#resample(this.#downmix.finish(this.#mono), blocks);
    this.#out = roomFor(this.#out, this.#resampler.maxOutputs(0));
    blocks.add(this.#out, this.#resampler.finish(this.#out));
  }

  #resample(count: number, blocks: Blocks): void {
    this.#out = roomFor(this.#out, this.#resampler.maxOutputs(count));
    blocks.add(this.#out, this.#resampler.push(this.#mono, this.#out, count));
  }
}

function roomFor(array: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  return array.length >= length ? array : new Float32Array(length);
}

/** A damaged file may decode to numbers that are no sound; they must not reach the filters' memory. */
function interleave({ channels }: PcmBlock, out: Float32Array): void {
  for (const [c, samples] of channels.entries()) {
    for (let i = 0, to = c; i < samples.length; i++, to += channels.length) {
      out[to] = soundOrSilence(samples[i] ?? 0);
    }
  }
}

/** Cuts samples into blocks of a second. */
class Blocks {
  /** Position of the next block, or the number of samples given. */
  startSample = 0;
  readonly #ready: Float32Array[] = [];
  #open = new Float32Array(SAMPLE_RATE);
  #filled = 0;

  add(samples: Float32Array, count: number): void {
    for (let at = 0; at < count;) {
      const taken = Math.min(count - at, SAMPLE_RATE - this.#filled);
      this.#open.set(samples.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled < SAMPLE_RATE) continue;
      this.#ready.push(this.#open);
      this.#open = new Float32Array(SAMPLE_RATE);
      this.#filled = 0;
    }
  }

  *whole(): Generator<AudioBlock> {
    for (const samples of this.#ready.splice(0)) yield this.#block(samples);
  }

  *rest(): Generator<AudioBlock> {
    yield* this.whole();
    if (this.#filled > 0) yield this.#block(this.#open.slice(0, this.#filled));
    this.#filled = 0;
  }

  #block(samples: Float32Array): AudioBlock {
    const block = { startSample: this.startSample, samples };
    this.startSample += samples.length;
    return block;
  }
}
