// A model of full size in Chromium without a graphics card: fetched into IndexedDB, loaded on WebAssembly, a clip
// read in the laboratory; times of every stage and the memory of the whole browser. By hand, a quarter of an hour:
//
//   npx tsx test/page/full-size.ts <model folder> [clip.wav]

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { ensureBuilt, ROOT } from '../../scripts/prepare.mjs';
import { CHROMIUM_PATH } from '../chromium.ts';
import { ISOLATED, makeBuiltSite } from './built-site.ts';
import { residentMb } from './memory.ts';
import { startStaticHost } from './static-host.ts';

const LONGEST_MILLISECONDS = 1_800_000;
const [model = '', clip = join(ROOT, 'public/clips/en_call-me-back.wav')] = process.argv.slice(2);

ensureBuilt('page');
const site = await makeBuiltSite({ full: model });
const profile = await mkdtemp(join(tmpdir(), 'sotto-profile-'));
const host = await startStaticHost(site.folder, ISOLATED);
const context = await chromium.launchPersistentContext(profile, {
  ...(CHROMIUM_PATH !== undefined && { executablePath: CHROMIUM_PATH }),
  locale: 'en-US',
  args: ['--no-sandbox', '--disable-gpu'],
});

/** Resident memory of the browser's largest process and of all of them, in MB. */
function browserMb(): { largest: number; all: number } {
  let pids: string[] = [];
  try {
    pids = execFileSync('pgrep', ['-f', profile], { encoding: 'utf8' }).trim().split('\n');
    for (const pid of pids) {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/);
      pids.push(...children.filter((child) => child !== '' && !pids.includes(child)));
    }
  } catch {
    // a process that has just ended
  }
  const sizes = pids.map((pid) => residentMb(Number(pid), 'RssAnon'));
  return { largest: Math.max(0, ...sizes), all: sizes.reduce((sum, size) => sum + size, 0) };
}

/** In the page: every record of the models, two under way as in the store; then as many bytes copied in memory. */
async function readBack(): Promise<{ bytes: number; seconds: number; copySeconds: number }> {
  const answered = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('refused'));
    });
  const database = await answered(indexedDB.open('sotto-models'));
  const records = (): IDBObjectStore => database.transaction('records').objectStore('records');
  const keys = await answered(records().getAllKeys());
  let bytes = 0;
  const startMs = performance.now();
  const ahead = (key: IDBValidKey | undefined): Promise<unknown> | undefined =>
    key === undefined ? undefined : answered<unknown>(records().get(key));
  let next = ahead(keys[0]);
  for (const index of keys.keys()) {
    const current = next;
    next = ahead(keys[index + 1]);
    const record = await current;
    if (record instanceof ArrayBuffer) bytes += record.byteLength;
  }
  const seconds = (performance.now() - startMs) / 1000;
  // From memory to memory: neither array fits into a cache.
  const [from, to] = [new Uint8Array(128 << 20).fill(1), new Uint8Array(128 << 20).fill(2)];
  const copyMs = performance.now();
  for (let round = 0; round < 8; round++) to.set(from);
  const copySeconds = ((performance.now() - copyMs) / 1000) * (bytes / (8 * from.length));
  return { bytes, seconds, copySeconds };
}

async function phase(name: string, work: () => Promise<unknown>): Promise<void> {
  const peak = browserMb();
  const watch = setInterval(() => {
    const now = browserMb();
    peak.largest = Math.max(peak.largest, now.largest);
    peak.all = Math.max(peak.all, now.all);
  }, 1000);
  const startMs = performance.now();
  try {
    await work();
  } finally {
    clearInterval(watch);
    const seconds = (performance.now() - startMs) / 1000;
    console.log(
      `${name}: ${seconds.toFixed(0)} s, largest process at most ${peak.largest.toFixed(0)} MB, whole browser ${peak.all.toFixed(0)} MB`,
    );
  }
}

try {
  // tsx gives functions their names with a helper that the page does not have.
  await context.addInitScript('globalThis.__name = (named) => named');
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(LONGEST_MILLISECONDS);
  page.on('pageerror', (error) => console.log(error.message));
  page.on('crash', () => console.log('the page crashed'));
  await page.goto(host.address);
  const card = page.getByRole('dialog', { name: 'Models' });
  await page.getByRole('contentinfo').getByRole('button', { name: /model/i }).first().click();
  console.log(`warned: ${await card.getByText(/Without a graphics card/).innerText()}`);
  await phase('fetched and verified', async () => {
    await page.getByLabel('Address of a model folder').fill(`${host.address}full/`);
    await page.getByRole('button', { name: 'Get', exact: true }).click();
    await card.getByText('Verified: every file matches its hash').waitFor();
  });
  await card.getByText('In use').waitFor();
  await phase('read back', async () => {
    const { bytes, seconds, copySeconds } = await page.evaluate(readBack);
    console.log(
      `storage gives ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, memory is copied at ${(bytes / 1e6 / copySeconds).toFixed(0)} MB/s, ratio ${(copySeconds / seconds).toFixed(3)}`,
    );
  });
  await page.keyboard.press('Escape');
  await page.goto(`${host.address}#/lab`);
  await phase('loaded and read', async () => {
    await page.locator('.lab input[type="file"]').setInputFiles(clip);
    const now = page.locator('.lab .now');
    // It says what it reads, and then what came of it.
    await now.getByRole('button', { name: 'Cancel' }).waitFor();
    await now.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' });
    console.log((await now.innerText()).replace(/\s+/g, ' '));
  });
  console.log(await page.locator('.lab table').innerText());
} finally {
  await context.close();
  await host.switchOff();
  await site.remove();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
