// What fetching a large model takes: memory of the page while it comes, and bytes that are fetched twice when
// the page is closed or the network cut over and over. The model is random numbers behind the sample's manifest,
// from a host on this machine. By hand:
//
//   npx tsx test/page/download-costs.ts MEGABYTES KILLS

import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright';
import { ensureBuilt } from '../../scripts/prepare.mjs';
import { PIECE_BYTES } from '../../src/model/manifest.ts';
import { CHROMIUM_ARGUMENTS, CHROMIUM_PATH } from '../chromium.ts';
import { memoryOf } from './memory.ts';
import { BUILT_PAGE } from './person.ts';
import { startStaticHost } from './static-host.ts';

const SAMPLE = join(BUILT_PAGE, 'models/sample');
const SHARD_BYTES = 64 * PIECE_BYTES;
/** Per connection, while there is something to cut off. */
const BYTES_PER_SECOND = 5_000_000;

async function main(megabytes: number, kills: number): Promise<void> {
  ensureBuilt('page');
  const folder = await mkdtemp(join(tmpdir(), 'sotto-download-'));
  const bytes = await makeSite(folder, megabytes * 1e6);
  const host = await startStaticHost(folder);
  // In a profile on disk: what a browser keeps in memory has little room.
  const context = await chromium.launchPersistentContext(join(folder, '.profile'), {
    ...(CHROMIUM_PATH !== undefined && { executablePath: CHROMIUM_PATH }),
    args: CHROMIUM_ARGUMENTS,
    locale: 'en-US',
  });
  const browser = context.browser();
  if (browser === null) throw new Error('a browser with a profile is a browser');
  try {
    context.setDefaultTimeout(120_000);
    const startedAt = performance.now();
    if (kills > 0) host.pace = BYTES_PER_SECOND;
    let page = await openModels(await context.newPage(), host.address);
    await page.getByLabel('Address of a model folder').fill(`${host.address}big/`);
    await page.getByRole('button', { name: 'Get', exact: true }).click();
    for (let kill = 0; kill < kills; kill++) {
      await page.getByText(/\/s/).first().waitFor();
      await sleep(200 + Math.random() * 2000);
      if (kill % 3 === 2) {
        await context.setOffline(true);
        await sleep(1000);
        await context.setOffline(false);
        continue;
      }
      await page.close();
      page = await openModels(await context.newPage(), host.address);
      await page.getByRole('button', { name: 'Resume' }).click();
    }
    host.pace = Infinity;
    const before = await memoryOf(browser, page);
    const peak = { pageMb: 0, rendererMb: 0 };
    while ((await page.getByText('Verified: every file matches its hash').count()) === 0) {
      const now = await memoryOf(browser, page);
      peak.pageMb = Math.max(peak.pageMb, now.pageMb);
      peak.rendererMb = Math.max(peak.rendererMb, now.rendererMb);
      if ((await page.getByRole('alert').count()) > 0)
        throw new Error(await page.getByRole('alert').innerText());
      await sleep(250);
    }
    const sent = [...host.sent].reduce((sum, [path, n]) => sum + (path.startsWith('big/') ? n : 0), 0);
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(
      `${(bytes / 1e6).toFixed(0)} MB, ${kills} times cut off: ${seconds.toFixed(0)} s, ` +
        `${((100 * (sent - bytes)) / bytes).toFixed(1)} % fetched twice; ` +
        `process ${before.rendererMb.toFixed(0)} → at most ${peak.rendererMb.toFixed(0)} MB, ` +
        `heap ${before.pageMb.toFixed(0)} → at most ${peak.pageMb.toFixed(0)} MB`,
    );
  } finally {
    await context.close();
    await host.switchOff();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function openModels(page: Page, address: string): Promise<Page> {
  await page.goto(address);
  await page.getByRole('contentinfo').getByRole('button', { name: 'Get the full model' }).click();
  await page.getByRole('dialog', { name: 'Models' }).waitFor();
  return page;
}

/** The page with a model beside it; returns the model's size. */
async function makeSite(folder: string, wantedBytes: number): Promise<number> {
  for (const name of await readdir(BUILT_PAGE)) await symlink(join(BUILT_PAGE, name), join(folder, name));
  const big = join(folder, 'big');
  await mkdir(big);
  const manifest = JSON.parse(await readFile(join(SAMPLE, 'manifest.json'), 'utf8')) as Manifest;
  const small = (await readdir(SAMPLE)).filter((name) => !/^(weights|manifest)/.test(name));
  let total = 0;
  for (const name of small) {
    await copyFile(join(SAMPLE, name), join(big, name));
    total += (await readFile(join(SAMPLE, name))).length;
  }
  const shards: Shard[] = [];
  for (let left = wantedBytes; left > 0; left -= SHARD_BYTES) {
    const content = randomBytes(Math.min(left, SHARD_BYTES));
    const sha256 = hashOf(content);
    const path = `weights-${sha256.slice(0, 16)}.bin`;
    await writeFile(join(big, path), content);
    const pieces = Array.from({ length: Math.ceil(content.length / PIECE_BYTES) }, (_, i) =>
      hashOf(content.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)),
    );
    shards.push({ path, bytes: content.length, sha256, pieces });
    total += content.length;
  }
  const paths = shards.map(({ path }) => path);
  for (const { encoder, decoder } of manifest.graphs) encoder.shards = decoder.shards = paths;
  await writeFile(join(big, 'manifest.json'), JSON.stringify({ ...manifest, name: 'Big model', shards }));
  return total;
}

interface Shard {
  path: string;
  bytes: number;
  sha256: string;
  pieces: string[];
}

interface Manifest {
  readonly graphs: { encoder: { shards: string[] }; decoder: { shards: string[] } }[];
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const [megabytes = '1600', kills = '0'] = process.argv.slice(2);
await main(Number(megabytes), Number(kills));
