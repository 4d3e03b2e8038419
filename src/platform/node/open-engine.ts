// Which provider computes on this machine: CUDA, else WebGPU, else the CPU.

import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isAsrError } from '../../errors.ts';
import type { Engine, LoadEvent } from '../../engine/engine.ts';
import { type NodeEngineRequest, startEngine } from './engine-client.ts';
import { type EngineProcess, startEngineProcess } from './engine-process.ts';
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
  return onFirstThatWorks(device, (provider) => startEngine({ ...request, provider }, onLoad));
}

/** The same, in a process of its own (engine-process.ts). */
export async function openEngineProcess(
  request: Omit<NodeEngineRequest, 'provider'>,
  device: DeviceChoice,
  onLoad?: (event: LoadEvent) => void,
): Promise<EngineProcess> {
  return onFirstThatWorks(device, (provider) => startEngineProcess({ ...request, provider }, onLoad));
}

async function onFirstThatWorks<T>(
  device: DeviceChoice,
  start: (provider: NodeProvider) => Promise<T>,
): Promise<T> {
  const candidates = device === 'auto' ? autoProviders() : [device];
  for (const provider of candidates.slice(0, -1)) {
    try {
      return await start(provider);
    } catch (error) {
      if (!isAsrError(error) || error.code !== 'device-unavailable') throw error;
    }
  }
  return start(candidates.at(-1) ?? 'cpu');
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
