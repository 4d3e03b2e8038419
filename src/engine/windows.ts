// A recording → the windows that the encoder is shown.

import { AsrError } from '../errors.ts';
import { type Activity, ActivityDetector } from '../signal/activity.ts';
import { FILE_LOOK_AHEAD_HOPS, GainControl, LIVE_LOOK_AHEAD_HOPS } from '../signal/gain.ts';
import { type AudioBlock, HOP_SAMPLES, WINDOW_SAMPLES, WINDOW_SECONDS } from '../signal/units.ts';
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
  readonly #sound: Conditioned;
  #frames: VoiceFrame[] = [];

  constructor({ live, gain, voiceDetection }: TranscribeOptions) {
    this.#segmenter = new Segmenter({ ...(live ? LIVE_SEGMENTS : FILE_SEGMENTS), voiceDetection });
    const hear: OnActivity = ({ levelDb, speech }) => this.#frames.push({ levelDb, speech });
    const lookAheadHops = live ? LIVE_LOOK_AHEAD_HOPS : FILE_LOOK_AHEAD_HOPS;
    this.#sound = gain ? lifted(lookAheadHops, hear) : asRecorded(hear);
  }

  /** Windows that closed with this block. */
  push(block: AudioBlock): AudioWindow[] {
    return this.#segmenter.push(this.#sound.push(block), this.#known());
  }

  /** The window that still grows; undefined while nobody speaks. */
  open(): AudioWindow | undefined {
    return this.#segmenter.open();
  }

  /** The recording is over: the windows that were still open. */
  end(): AudioWindow[] {
    return [...this.#segmenter.push(this.#sound.finish(), this.#known()), ...this.#segmenter.end()];
  }

  #known(): VoiceFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }
}

type OnActivity = (activity: Activity) => void;

/** Sound on its way to the segmenter, listened to in passing. A block is good until the next one. */
interface Conditioned {
  push(block: AudioBlock): AudioBlock;
  finish(): AudioBlock;
}

function asRecorded(onActivity: OnActivity): Conditioned {
  const detector = new ActivityDetector(onActivity);
  let endSample = 0;
  return {
    push(block) {
      endSample = block.startSample + block.samples.length;
      detector.push(block.samples);
      return block;
    },
    finish() {
      detector.finish();
      return { startSample: endSample, samples: new Float32Array(0) };
    },
  };
}

/** Quiet speech brought to a steady level; runs behind by the look-ahead. */
function lifted(lookAheadHops: number, onActivity: OnActivity): Conditioned {
  const gain = new GainControl({ lookAheadHops, onActivity });
  let startSample = 0;
  let output = new Float32Array(0);
  const give = (room: number, write: (output: Float32Array) => number): AudioBlock => {
    if (output.length < room) output = new Float32Array(room);
    const samples = output.subarray(0, write(output));
    const block = { startSample, samples };
    startSample += samples.length;
    return block;
  };
  return {
    // A block may complete a hop that an earlier one began.
    push: ({ samples }) => give(samples.length + HOP_SAMPLES, (to) => gain.push(samples, to)),
    finish: () => give(gain.delaySamples + HOP_SAMPLES, (to) => gain.finish(to)),
  };
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
