// The same reading in Chromium on WebGPU, on a device that has WebGPU's guaranteed limits and no feature: what
// fits there (128 MiB a binding) fits everywhere.

import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright';
import { CHROMIUM_ARGUMENTS, CHROMIUM_PATH } from '../../test/chromium.ts';
import { startStaticHost } from '../../test/page/static-host.ts';
import { bundlePage } from '../../test/platform/web/install-browser.ts';
import type { Given, Said } from '../../test/fixtures/full-width-reading.ts';

const PAGE_CODE = join(import.meta.dirname, '../../test/browser/pages/full-width-page.ts');
const RUNTIME = resolve(import.meta.dirname, '../../node_modules/onnxruntime-web/dist');

/** Minutes per layer on a software adapter. Fails when the device refuses anything. */
export async function readInChromium(model: string, given: Given): Promise<Said> {
  const site = await mkdtemp(join(tmpdir(), 'sotto-full-width-'));
  await symlink(resolve(model), join(site, 'model'));
  await symlink(RUNTIME, join(site, 'runtime'));
  await writeFile(join(site, 'page.js'), await bundlePage(PAGE_CODE));
  await writeFile(join(site, 'index.html'), '<!doctype html><script type="module" src="page.js"></script>');
  const host = await startStaticHost(site);
  const browser = await chromium.launch({
    ...(CHROMIUM_PATH !== undefined && { executablePath: CHROMIUM_PATH }),
    args: CHROMIUM_ARGUMENTS,
  });
  try {
    const page = await browser.newPage();
    await page.goto(host.address);
    const { features, prompt } = given;
    const said: Record<keyof Said, number[]> = await page.evaluate(
      `fullWidth.read(${JSON.stringify({ features: Array.from(features), prompt })})`,
    );
    return {
      states: Float32Array.from(said.states),
      embeds: Float32Array.from(said.embeds),
      logits: Float32Array.from(said.logits),
    };
  } finally {
    await browser.close();
    await host.switchOff();
    await rm(site, { recursive: true });
  }
}
