// Whether WebGPU computes on a graphics card here. A processor that plays one (llvmpipe, SwiftShader) is slower
// than ONNX Runtime on that processor, so it does not count.

import { existsSync, readdirSync } from 'node:fs';
import { startProcess } from './start-thread.ts';

/** The first start of a driver compiles its shaders. */
const PATIENCE_MS = 20_000;

/** Vulkan's loader passes over drivers whose files are called like this. */
const NO_SOFTWARE = { VK_LOADER_DRIVERS_DISABLE: '*lvp*,*swiftshader*,*swrast*' };

let known: Promise<boolean> | undefined;

/** Tried once, in a process of its own: a driver may crash. */
export function hasWebGpu(): Promise<boolean> {
  known ??= hasGraphicsDevice() ? probeWebGpu() : Promise.resolve(false);
  return known;
}

export interface ProbeOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly allowSoftware?: boolean;
  readonly patienceMs?: number;
}

/** Whether a small product comes out right; false also when the probe crashes or does not end. */
export async function probeWebGpu({
  env = {},
  allowSoftware = false,
  patienceMs = PATIENCE_MS,
}: ProbeOptions = {}): Promise<boolean> {
  const child = startProcess('webgpu-probe', { ...env, ...(!allowSoftware && NO_SOFTWARE) }, 'ignore');
  const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
  });
  clearTimeout(patience);
  return code === 0;
}

/** On Linux a card has a device file; elsewhere the probe tells. */
function hasGraphicsDevice(): boolean {
  if (process.platform !== 'linux') return true;
  if (existsSync('/dev/nvidia0') || existsSync('/dev/dxg')) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('render'));
}
