// A recording → the windows that the encoder is shown.

import { AsrError } from '../errors.ts';
import { type ConditionedBlock, Conditioner, isConditioned } from '../signal/front-end.ts';
import { FILE_LOOK_AHEAD_HOPS, LIVE_LOOK_AHEAD_HOPS } from '../signal/gain.ts';
import {
  type AudioBlock,
  HOP_SAMPLES,
  SAMPLE_RATE,
  WINDOW_SAMPLES,
  WINDOW_SECONDS,
} from '../signal/units.ts';
import type { TranscribeOptions } from './events.ts';
import { FrameHistory } from './frame-history.ts';
import { type AudioWindow, FILE_SEGMENTS, LIVE_SEGMENTS, Segmenter } from './segmenter.ts';
import type { Tracer } from './tracer.ts';

/**
 * Yields closed windows in order of time; holds no more of the recording than one of them.
 *
 * When the recording breaks off (its iterable throws), what was heard until then is yielded first.
 */
export async function* windowsOf(
  audio: AsyncIterable<AudioBlock>,
  options: TranscribeOptions,
  trace?: Tracer,
): AsyncGenerator<AudioWindow, void> {
  if (options.exact) return yield await wholeClip(audio);
  const maker = new WindowMaker(options, trace);
  let failure: { error: unknown } | undefined;
  try {
    for await (const block of audio) yield* maker.push(block);
  } catch (error) {
    failure = { error };
  }
  yield* maker.end();
  if (failure !== undefined) throw failure.error;
}

/**
 * Blocks in, windows out: gain, voice detection and cutting in one. Blocks that have been through the
 * front end elsewhere (on the audio thread) are taken as they are.
 */
export class WindowMaker {
  readonly #segmenter: Segmenter;
  readonly #conditioner: Conditioner;
  readonly #history = new FrameHistory();
  readonly #trace: Tracer | undefined;
  #conditionedElsewhere = false;

  constructor({ live, voiceDetection, gain }: TranscribeOptions, trace?: Tracer) {
    this.#trace = trace;
    this.#segmenter = new Segmenter({ ...(live ? LIVE_SEGMENTS : FILE_SEGMENTS), voiceDetection });
    const lookAheadHops = live ? LIVE_LOOK_AHEAD_HOPS : FILE_LOOK_AHEAD_HOPS;
    this.#conditioner = new Conditioner({ sampleRate: SAMPLE_RATE, gain: gain && { lookAheadHops } });
  }

  /** Windows that closed with this block. */
  push(block: AudioBlock): AudioWindow[] {
    this.#conditionedElsewhere = isConditioned(block);
    if (isConditioned(block)) return this.#take(block);
    this.#trace?.hear(block.samples);
    return this.#conditioner.push(block.samples).flatMap((piece) => this.#take(piece));
  }

  /** The window that still grows; undefined while nobody speaks. */
  open(): AudioWindow | undefined {
    const window = this.#segmenter.open();
    return window && this.#withFrames(window);
  }

  /** The recording is over: the windows that were still open. */
  end(): AudioWindow[] {
    const rest = this.#conditionedElsewhere ? [] : this.#take(this.#conditioner.finish());
    return [...rest, ...this.#segmenter.end().map((window) => this.#withFrames(window))];
  }

  #take(block: ConditionedBlock): AudioWindow[] {
    this.#trace?.condition(block);
    this.#history.push(block);
    const closed = this.#segmenter.push(block, block.activity).map((window) => this.#withFrames(window));
    this.#history.dropBefore(this.#segmenter.pendingSample / HOP_SAMPLES);
    return closed;
  }

  #withFrames(window: AudioWindow): AudioWindow {
    const startFrame = window.startSample / HOP_SAMPLES;
    const streamed = this.#history.within(startFrame, startFrame + window.samples.length / HOP_SAMPLES);
    return streamed === undefined ? window : { ...window, streamed };
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
