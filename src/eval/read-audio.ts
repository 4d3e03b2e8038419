// A whole recording in memory, as the scenes and the engines of others take it.

import { joinFloats } from '../bytes.ts';
import { openAudioFile } from '../platform/node/decode-file.ts';

/** 16 kHz, mono. Fails as `openAudioFile` does. */
export async function readSamples(path: string, signal?: AbortSignal): Promise<Float32Array> {
  const audio = await openAudioFile(path);
  const blocks: Float32Array[] = [];
  for await (const { samples } of audio.blocks(signal)) blocks.push(samples);
  return joinFloats(blocks);
}
