// A graphics device that goes away in the middle of the work.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { computeWith, drop, readText, visit } from './visitor.ts';

const CLIP = resolve(import.meta.dirname, '../../public/clips/zh_which-folder');

/** Runs before the engine's own code: keeps the real devices at hand, so that the test can destroy one. */
const KEEP_DEVICES = `
  const request = GPUAdapter.prototype.requestDevice;
  globalThis.devices = [];
  GPUAdapter.prototype.requestDevice = async function (...options) {
    const device = await request.apply(this, options);
    globalThis.devices.push(device);
    return device;
  };
`;

test('a device destroyed while a recording is read is built anew, and no text is lost', async () => {
  const visitor = await visit({ serviceWorkers: 'block' });
  const { page } = visitor;
  await page.route(/asr\.worker-.*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: KEEP_DEVICES + (await response.text()) });
  });
  await computeWith(page, 'webgpu-f32-plain');
  await drop(page, [{ name: 'folder.wav', bytes: await readFile(`${CLIP}.wav`) }]);
  // The engine is loaded and checked once the transcript opens.
  await page.getByRole('textbox', { name: 'Title' }).waitFor({ timeout: 400_000 });
  const [worker] = page.workers();
  const destroyed = await worker?.evaluate(() => {
    const { devices } = globalThis as unknown as { devices: GPUDevice[] };
    devices.at(-1)?.destroy();
    return devices.length;
  });
  expect(destroyed).toBe(1);
  expect((await readText(page)).join('')).toBe((await readFile(`${CLIP}.txt`, 'utf8')).trim());
  const devices = await worker?.evaluate(
    () => (globalThis as unknown as { devices: unknown[] }).devices.length,
  );
  expect(devices).toBe(2);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});
