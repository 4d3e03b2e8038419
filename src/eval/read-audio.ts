// A whole recording in memory, as the scenes and the engines of others take it.

import { openAudioFile } from '../platform/node/decode-file.ts';

/** 16 kHz, mono. Fails as `openAudioFile` does. */
export async function readSamples(path: string, signal?: AbortSignal): Promise<Float32Array> {
  const audio = await openAudioFile(path);
  const blocks: Float32Array[] = [];
  let length = 0;
  for await (const { samples } of audio.blocks(signal)) {
    blocks.push(samples);
    length += samples.length;
  }
  const whole = new Float32Array(length);
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}
