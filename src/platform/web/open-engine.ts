// Makes the engine inside the worker: the best way of computing that works here and reads the golden clip
// rightly. What did not is said (LoadEvent), never hidden.

import { AsrError, isAsrError } from '../../errors.ts';
import type { Engine, LoadEvent } from '../../engine/engine.ts';
import { type GoldenClip, checkEngine } from '../../engine/self-check.ts';
import { createEngine } from '../../engine/create-engine.ts';
import { type Model, loadModel } from '../../model/load.ts';
import type { ModelFiles } from '../../ports.ts';
import { chooseBuild } from './choose-build.ts';
import { type ComputePath, type DeviceWish, candidatePaths, runtimeOptions } from './compute-path.ts';
import { createWebRuntime } from './ort.ts';
import { voiceInThread } from './voice-thread.ts';

export interface OpenOptions {
  readonly files: ModelFiles;
  readonly device: DeviceWish;
  readonly threads?: number;
  /** Read before the engine counts as ready. `exact`: the model is known to read it word for word. */
  readonly golden?: { readonly clip: GoldenClip; readonly exact: boolean };
  /** Starts workers/voice.worker.ts, for a second look at what seems to be speech. */
  readonly startVoice?: () => Worker;
}

/**
 * Opens the engine. Fails with the last way's error when none works: `device-unavailable`,
 * `out-of-memory`, `model-garbage`; at once with what is wrong with the model's own files.
 */
export async function openWebEngine(
  options: OpenOptions,
  onLoad: (event: LoadEvent) => void,
): Promise<Engine> {
  let last: unknown = new AsrError('device-unavailable', 'this browser offers no way to compute');
  for (const path of await candidatePaths(options.device)) {
    try {
      return await openOn(path, options, onLoad);
    } catch (error) {
      if (!isAboutDevice(error)) throw error;
      last = error;
      const reason =
        error.code === 'model-garbage' ? 'wrong' : error.code === 'device-unavailable' ? 'missing' : 'failed';
      onLoad({ type: 'stepped-down', from: path, reason, detail: error.message });
    }
  }
  throw last;
}

async function openOn(
  path: ComputePath,
  options: OpenOptions,
  onLoad: (event: LoadEvent) => void,
): Promise<Engine> {
  const load = async (): Promise<Model> => {
    const runtime = await createWebRuntime(runtimeOptions(path, options.threads));
    try {
      return await loadModel(options.files, runtime, undefined, (stage) => onLoad({ type: 'stage', stage }));
    } catch (error) {
      await runtime.release();
      throw error;
    }
  };
  const model = await load();
  const build = chooseBuild(path === 'wasm' ? 'wasm' : 'webgpu');
  const voice = options.startVoice && voiceInThread(options.startVoice(), build);
  const engine = createEngine(model, { reload: load, ...(voice && { voice }) });
  if (options.golden === undefined) return engine;
  try {
    onLoad({ type: 'stage', stage: 'check' });
    const { clip, exact } = options.golden;
    const { verdict, why } = await checkEngine(engine, clip, { exact, signal: new AbortController().signal });
    if (verdict === 'wrong') throw new AsrError('model-garbage', `${path}: ${why}`);
    return engine;
  } catch (error) {
    await engine.release();
    throw error;
  }
}

function isAboutDevice(error: unknown): error is AsrError {
  return (
    isAsrError(error) &&
    ['device-unavailable', 'device-lost', 'out-of-memory', 'model-garbage'].includes(error.code)
  );
}
