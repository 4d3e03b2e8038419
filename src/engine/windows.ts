// A recording → the windows that the encoder is shown.

import { AsrError } from '../errors.ts';
import { ActivityDetector } from '../signal/activity.ts';
import { type AudioBlock, WINDOW_SAMPLES, WINDOW_SECONDS } from '../signal/units.ts';
import type { TranscribeOptions } from './events.ts';
import { type AudioWindow, FILE_SEGMENTS, LIVE_SEGMENTS, Segmenter, type VoiceFrame } from './segmenter.ts';

/**
 * Yields closed windows in order of time; holds no more of the recording than one of them.
 *
 * When the recording breaks off (its iterable throws), what was heard until then is yielded first.
 */
export async function* windowsOf(
  audio: AsyncIterable<AudioBlock>,
  options: TranscribeOptions,
): AsyncGenerator<AudioWindow, void> {
  if (options.exact) return yield await wholeClip(audio);
  const maker = new WindowMaker(options);
  let failure: { error: unknown } | undefined;
  try {
    for await (const block of audio) yield* maker.push(block);
  } catch (error) {
    failure = { error };
  }
  yield* maker.end();
  if (failure !== undefined) throw failure.error;
}

/** Blocks in, windows out: gain, voice detection and cutting in one. */
export class WindowMaker {
  readonly #segmenter: Segmenter;
  readonly #detector: ActivityDetector;
  #frames: VoiceFrame[] = [];
  #endSample = 0;

  constructor({ live, voiceDetection }: TranscribeOptions) {
    this.#segmenter = new Segmenter({ ...(live ? LIVE_SEGMENTS : FILE_SEGMENTS), voiceDetection });
    this.#detector = new ActivityDetector(({ levelDb, speech }) => this.#frames.push({ levelDb, speech }));
  }

  /** Windows that closed with this block. */
  push(block: AudioBlock): AudioWindow[] {
    this.#endSample = block.startSample + block.samples.length;
    this.#detector.push(block.samples);
    return this.#segmenter.push(block, this.#known());
  }

  /** The window that still grows; undefined while nobody speaks. */
  open(): AudioWindow | undefined {
    return this.#segmenter.open();
  }

  /** The recording is over: the windows that were still open. */
  end(): AudioWindow[] {
    this.#detector.finish();
    const rest = { startSample: this.#endSample, samples: new Float32Array(0) };
    return [...this.#segmenter.push(rest, this.#known()), ...this.#segmenter.end()];
  }

  #known(): VoiceFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }
}

/** The clip as one window, as the reference takes it. Fails with `audio-too-long` beyond 30 s. */
async function wholeClip(audio: AsyncIterable<AudioBlock>): Promise<AudioWindow> {
  const held = new Float32Array(WINDOW_SAMPLES);
  let length = 0;
  for await (const { samples } of audio) {
    if (length + samples.length > WINDOW_SAMPLES) {
      throw new AsrError('audio-too-long', `the clip is longer than ${WINDOW_SECONDS} s`);
    }
    held.set(samples, length);
    length += samples.length;
  }
  const samples = held.slice(0, length);
  return { open: false, startSample: 0, samples, utterances: [{ startSample: 0, endSample: length }] };
}
