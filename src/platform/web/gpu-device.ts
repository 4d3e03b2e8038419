// The GPU that a model computes on. We make the device ourselves and hand it to ONNX Runtime, because
//   · a device without the `subgroups` feature is the way out where attention through subgroups is wrong;
//   · buffers survive only as long as their device, so its life must be ours.

import { AsrError } from '../../errors.ts';

export interface GpuOptions {
  /** Compute in half precision where the adapter can. */
  readonly halfPrecision: boolean;
  /** Let kernels use subgroup operations (wrong on some adapters; the self-test decides). */
  readonly subgroups: boolean;
}

export interface Gpu {
  readonly device: GPUDevice;
  readonly info: GPUAdapterInfo;
  readonly halfPrecision: boolean;
  /** Adapter, for people: "apple m4", "nvidia ampere", "google swiftshader". */
  readonly description: string;
}

/** The adapter of this browser; undefined where WebGPU is missing or switched off. */
export async function findAdapter(): Promise<GPUAdapter | undefined> {
  if (!('gpu' in navigator)) return undefined;
  return (await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' })) ?? undefined;
}

/** Opens a device. Fails with `device-unavailable`. */
export async function openGpu({ halfPrecision, subgroups }: GpuOptions): Promise<Gpu> {
  const adapter = await findAdapter();
  if (adapter === undefined)
    throw new AsrError('device-unavailable', 'this browser offers no WebGPU adapter');
  const features: GPUFeatureName[] = [];
  const half = halfPrecision && adapter.features.has('shader-f16');
  if (half) features.push('shader-f16');
  if (subgroups && adapter.features.has('subgroups')) features.push('subgroups');
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: features,
      // Shards keep every buffer under the guaranteed 128 MiB; caches of long prompts may want more.
      requiredLimits: {
        maxBufferSize: adapter.limits.maxBufferSize,
        maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
        maxComputeWorkgroupStorageSize: adapter.limits.maxComputeWorkgroupStorageSize,
        maxComputeInvocationsPerWorkgroup: adapter.limits.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupSizeX: adapter.limits.maxComputeWorkgroupSizeX,
        maxComputeWorkgroupSizeY: adapter.limits.maxComputeWorkgroupSizeY,
        maxComputeWorkgroupSizeZ: adapter.limits.maxComputeWorkgroupSizeZ,
        maxStorageBuffersPerShaderStage: adapter.limits.maxStorageBuffersPerShaderStage,
      },
    });
    return { device, info: adapter.info, halfPrecision: half, description: describe(adapter.info) };
  } catch (cause) {
    throw new AsrError('device-unavailable', 'the graphics device could not be opened', { cause });
  }
}

/** What the browser is willing to say about an adapter. */
export function describe({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  return (
    description || [vendor, architecture, device].filter((part) => part !== '').join(' ') || 'unnamed adapter'
  );
}
