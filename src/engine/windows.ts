// A recording → the windows that the encoder is shown.

import { AsrError } from '../errors.ts';
import { type AudioBlock, WINDOW_SAMPLES, WINDOW_SECONDS } from '../signal/units.ts';
import type { TranscribeOptions } from './events.ts';
import type { AudioWindow } from './segmenter.ts';

/** Yields windows in order of time; holds no more of the recording than one of them. */
export async function* windowsOf(
  audio: AsyncIterable<AudioBlock>,
  options: TranscribeOptions,
): AsyncGenerator<AudioWindow, void> {
  if (options.exact) yield await wholeClip(audio);
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
