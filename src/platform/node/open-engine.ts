// Which provider computes on this machine: CUDA, else WebGPU, else the CPU.

import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isAsrError } from '../../errors.ts';
import type { Engine, LoadEvent } from '../../engine/engine.ts';
import { type NodeEngineRequest, startEngine } from './engine-client.ts';
import type { NodeProvider } from './ort.ts';

export type DeviceChoice = 'auto' | NodeProvider;

/**
 * Starts an engine on the chosen device. `auto` takes the first of CUDA, WebGPU and CPU that works here;
 * a device that was asked for by name fails with `device-unavailable` instead of giving way.
 */
export async function openEngine(
  request: Omit<NodeEngineRequest, 'provider'>,
  device: DeviceChoice,
  onLoad?: (event: LoadEvent) => void,
): Promise<Engine> {
  const candidates = device === 'auto' ? autoProviders() : [device];
  for (const provider of candidates.slice(0, -1)) {
    try {
      return await startEngine({ ...request, provider }, onLoad);
    } catch (error) {
      if (!isAsrError(error) || error.code !== 'device-unavailable') throw error;
    }
  }
  return startEngine({ ...request, provider: candidates.at(-1) ?? 'cpu' }, onLoad);
}

/** Best first; the CPU always works. */
function autoProviders(): NodeProvider[] {
  return cudaInstalled() ? ['cuda', 'cpu'] : ['cpu'];
}

/** Whether `sotto setup cuda` has put ONNX Runtime's CUDA provider beside its library. */
export function cudaInstalled(): boolean {
  const binding = createRequire(import.meta.url).resolve('onnxruntime-node');
  const folder = join(dirname(binding), '..', 'bin', 'napi-v6', process.platform, process.arch);
  return existsSync(join(folder, 'libonnxruntime_providers_cuda.so'));
}
