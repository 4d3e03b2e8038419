// A recording → the windows that the encoder is shown.

import { AsrError } from '../errors.ts';
import { ActivityDetector } from '../signal/activity.ts';
import { type AudioBlock, WINDOW_SAMPLES, WINDOW_SECONDS } from '../signal/units.ts';
import type { TranscribeOptions } from './events.ts';
import { type AudioWindow, FILE_SEGMENTS, Segmenter, type VoiceFrame } from './segmenter.ts';

/**
 * Yields windows in order of time; holds no more of the recording than one of them.
 *
 * When the recording breaks off (its iterable throws), what was heard until then is yielded first.
 */
export async function* windowsOf(
  audio: AsyncIterable<AudioBlock>,
  options: TranscribeOptions,
): AsyncGenerator<AudioWindow, void> {
  if (options.exact) yield await wholeClip(audio);
  else yield* segmented(audio, options);
}

async function* segmented(
  audio: AsyncIterable<AudioBlock>,
  { voiceDetection }: TranscribeOptions,
): AsyncGenerator<AudioWindow, void> {
  const segmenter = new Segmenter({ ...FILE_SEGMENTS, voiceDetection });
  let frames: VoiceFrame[] = [];
  const detector = new ActivityDetector(({ levelDb, speech }) => frames.push({ levelDb, speech }));
  const known = (): VoiceFrame[] => {
    const taken = frames;
    frames = [];
    return taken;
  };
  let endSample = 0;
  let failure: { error: unknown } | undefined;
  try {
    for await (const block of audio) {
      detector.push(block.samples);
      endSample = block.startSample + block.samples.length;
      yield* segmenter.push(block, known());
    }
  } catch (error) {
    failure = { error };
  }
  detector.finish();
  yield* segmenter.push({ startSample: endSample, samples: new Float32Array(0) }, known());
  yield* segmenter.end();
  if (failure !== undefined) throw failure.error;
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
