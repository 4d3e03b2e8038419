// Which provider computes on this machine: CUDA, else WebGPU, else the CPU.

import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isAsrError } from '../../errors.ts';
import type { LoadEvent } from '../../engine/engine.ts';
import { type EngineProcess, type NodeEngineRequest, startEngine } from './engine-client.ts';
import { hasWebGpu } from './has-webgpu.ts';
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
): Promise<EngineProcess> {
  const start = (provider: NodeProvider): Promise<EngineProcess> =>
    startEngine({ ...request, provider }, onLoad);
  if (device !== 'auto') return start(device);
  for await (const provider of autoProviders()) {
    try {
      return await start(provider);
    } catch (error) {
      // A device's driver that crashes takes the engine with it: the next device does without.
      if (isAsrError(error) && !['device-unavailable', 'engine-died'].includes(error.code)) throw error;
    }
  }
  return start('cpu');
}

/** Best first, each found out when the one before it did not work; the CPU always does. */
async function* autoProviders(): AsyncGenerator<NodeProvider, void> {
  if (cudaInstalled()) yield 'cuda';
  if (await hasWebGpu()) yield 'webgpu';
}

/** Whether `sotto setup cuda` has put ONNX Runtime's CUDA provider beside its library. */
export function cudaInstalled(): boolean {
  const binding = createRequire(import.meta.url).resolve('onnxruntime-node');
  const folder = join(dirname(binding), '..', 'bin', 'napi-v6', process.platform, process.arch);
  return existsSync(join(folder, 'libonnxruntime_providers_cuda.so'));
}
