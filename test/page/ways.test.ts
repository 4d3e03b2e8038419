// Ways of computing that cannot be trusted: each is found out by the clip that it has to read first, the next
// one reads, and the page says so.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { drop, type DroppedFile, goHome, readText, visit } from './visitor.ts';

const CLIPS = resolve(import.meta.dirname, '../../public/clips');
const CLIP = 'en_call-me-back';

/**
 * The software adapter under the name of a card, so that it is tried at all, and says that it computes in half
 * precision, so that this is tried first: the browser then refuses the device. Without subgroups there are half
 * as many ways.
 */
const AS_CARD = `
  for (const name of ['vendor', 'architecture', 'device', 'description'])
    Object.defineProperty(GPUAdapterInfo.prototype, name, { get: () => (name === 'vendor' ? 'test card' : '') });
  const { has } = GPUSupportedFeatures.prototype;
  GPUSupportedFeatures.prototype.has = function (name) { return name === 'shader-f16' || (name !== 'subgroups' && has.call(this, name)); };
`;

/** A driver that loses whatever it is told to compute: everything stays zero. */
const LOSES_WORK = `
  for (const name of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect'])
    GPUComputePassEncoder.prototype[name] = () => undefined;
`;

/** A card that makes no large buffers: the browser refuses them, as it does any that break a rule. */
const SMALL_BUFFERS = `
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (wanted) {
    const refused = wanted.size > 100_000 ? GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE : 0;
    return createBuffer.call(this, { ...wanted, usage: wanted.usage | refused });
  };
`;

/** Runs `script` before the page's own code and before the engine's. */
async function prepare(page: Page, script: string): Promise<void> {
  await page.addInitScript(script);
  await page.route(/asr\.worker-.*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: script + (await response.text()) });
  });
  await page.reload();
}

async function recording(): Promise<DroppedFile> {
  return { name: `${CLIP}.wav`, bytes: await readFile(resolve(CLIPS, `${CLIP}.wav`)) };
}

async function said(): Promise<string> {
  return (await readFile(resolve(CLIPS, `${CLIP}.txt`), 'utf8')).trim();
}

/** The device card's lines about ways that are not used, and its ways with what is said of each. */
async function deviceCard(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'This device' }).click();
  const card = page.getByRole('dialog', { name: 'This device' });
  await card.waitFor();
  const text = await card.innerText();
  await page.keyboard.press('Escape');
  await card.waitFor({ state: 'detached' });
  return text.replace(/\s+/g, ' ');
}

test('a card that computes garbage is given up, way after way, for the processor; where nothing computes, a server is offered', async () => {
  const visitor = await visit({ serviceWorkers: 'block' });
  const { page } = visitor;
  await prepare(page, AS_CARD + LOSES_WORK);
  await drop(page, [await recording()]);
  await page
    .getByText('without subgroups computed wrong text here and is not used. Processor (WASM) reads')
    .waitFor({ timeout: 300_000 });
  expect(await readText(page)).toEqual([await said()]);
  const card = await deviceCard(page);
  expect(card).toContain('WebGPU, half precision, without subgroups does not work here.');
  expect(card).toContain(
    'WebGPU, full precision, without subgroups computed wrong text here and is not used.',
  );
  expect(card).toContain('Processor (WASM) in use');
  await goHome(page);

  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'This device' }).click();
  await page.getByLabel('Compute with').selectOption('webgpu-f16-plain');
  await page.keyboard.press('Escape');
  await drop(page, [await recording()]);
  await page.getByText('This way of computing is not available here.').waitFor();
  await page.getByText('A Sotto server on another computer can read it instead.').waitFor();
  await page.getByRole('button', { name: 'Let a server read instead' }).click();
  await page.getByRole('dialog', { name: 'A server of yours' }).waitFor();
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

test('a card without large enough buffers is passed over, and so is none at all', async () => {
  const visitor = await visit({ serviceWorkers: 'block' });
  const { page } = visitor;
  await prepare(page, AS_CARD + SMALL_BUFFERS);
  await drop(page, [await recording()]);
  expect(await readText(page)).toEqual([await said()]);
  const card = await deviceCard(page);
  expect(card).toContain('WebGPU, full precision, without subgroups does not work here.');
  expect(card).toContain('Processor (WASM) in use');
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();

  const without = await visit({ withoutGpu: true });
  expect(await deviceCard(without.page)).toContain('Graphics none that this browser offers (no WebGPU)');
  await drop(without.page, [await recording()]);
  expect(await readText(without.page)).toEqual([await said()]);
  await goHome(without.page);
  await without.page.getByRole('button', { name: 'Menu' }).click();
  await without.page.getByRole('menuitem', { name: 'This device' }).click();
  await without.page.getByRole('button', { name: 'Check my device' }).click();
  const ways = without.page.getByRole('dialog', { name: 'This device' }).getByRole('listitem');
  await ways.getByText('right', { exact: true }).waitFor();
  expect((await ways.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '))).toEqual([
    expect.stringMatching(
      /^Processor \(WASM\) in use right Close the door [\d.]+ s, after [\d.]+ s of loading$/,
    ),
  ]);
  expect(without.complaints).toEqual([]);
  await without.leave();
});
