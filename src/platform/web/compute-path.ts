// The ways in which a browser can compute, best first. Which of them are right on this machine is found
// out by letting each read a clip whose text is known (open-engine.ts).

import { findAdapter } from './gpu-device.ts';
import type { WebRuntimeOptions } from './ort.ts';

/**
 * `webgpu-f16` and `webgpu-f32` say which numbers activations are; `-plain` is a device without subgroup
 * operations, for adapters whose attention is wrong with them.
 */
export const COMPUTE_PATHS = [
  'webgpu-f16',
  'webgpu-f16-plain',
  'webgpu-f32',
  'webgpu-f32-plain',
  'wasm',
] as const;
export type ComputePath = (typeof COMPUTE_PATHS)[number];

/** What the user wants: the best that works, or one way and no other. */
export type DeviceWish = 'auto' | 'webgpu' | ComputePath;

/** Ways to try, in order. Software adapters are slower than WASM, so `auto` passes over them. */
export async function candidatePaths(wish: DeviceWish): Promise<ComputePath[]> {
  if (wish !== 'auto' && wish !== 'webgpu') return [wish];
  const adapter = await findAdapter();
  const onGpu = adapter === undefined ? [] : gpuPaths(adapter);
  if (wish === 'webgpu') return onGpu.length > 0 ? onGpu : ['webgpu-f32-plain'];
  return adapter !== undefined && isSoftware(adapter) ? ['wasm'] : [...onGpu, 'wasm'];
}

function gpuPaths(adapter: GPUAdapter): ComputePath[] {
  // Subgroups are wrong on the software adapter (measured), so they are not even tried there.
  const subgroups = adapter.features.has('subgroups') && !isSoftware(adapter);
  const half = adapter.features.has('shader-f16');
  const paths: [ComputePath, boolean][] = [
    ['webgpu-f16', half && subgroups],
    ['webgpu-f16-plain', half],
    ['webgpu-f32', subgroups],
    ['webgpu-f32-plain', true],
  ];
  return paths.filter(([, can]) => can).map(([path]) => path);
}

export function isSoftware({ info }: GPUAdapter): boolean {
  return /swiftshader|llvmpipe|software|basic render/i.test(
    `${info.vendor} ${info.architecture} ${info.device} ${info.description}`,
  );
}

export function runtimeOptions(path: ComputePath, threads?: number): WebRuntimeOptions {
  if (path === 'wasm') return { provider: 'wasm', ...(threads !== undefined && { threads }) };
  return { provider: 'webgpu', halfPrecision: path.includes('f16'), subgroups: !path.endsWith('plain') };
}
