import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { probeWebGpu } from '../../../src/platform/node/has-webgpu.ts';

/** A Vulkan driver that computes on the processor; it comes with Debian's Chromium. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
const env = { VK_ICD_FILENAMES: SWIFTSHADER, VK_DRIVER_FILES: SWIFTSHADER };

test.skipIf(!existsSync(SWIFTSHADER))(
  'a driver that only plays a graphics card is found and passed over (needs the one of Debian’s Chromium)',
  async () => {
    expect(await probeWebGpu({ env, allowSoftware: true })).toBe(true);
    expect(await probeWebGpu({ env })).toBe(false);
  },
);

test('a probe that does not come to an end is ended, and there is no WebGPU', async () => {
  expect(await probeWebGpu({ patienceMs: 1 })).toBe(false);
});
