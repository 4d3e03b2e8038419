// Downloads in a real browser: killed, crowded, cramped, shut out.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MANIFEST_PATH } from '../../../src/model/manifest.ts';
import { type IllBehavedServer, startServer } from '../ill-behaved-server.ts';
import { standInModel } from '../stand-in-model.ts';
import {
  bundleInstallPage,
  hasChromium,
  type InstallBrowser,
  servePage,
  startBrowser,
} from './install-browser.ts';
import { killTwentyTimes } from './twenty-kills.ts';

const MODEL = standInModel({ shards: 8, shardBytes: 4_000_000 });
const ID = 'stand-in-fp32';

let code: string;
let browser: InstallBrowser;
let server: IllBehavedServer;

beforeAll(async () => {
  if (!hasChromium) return;
  code = await bundleInstallPage();
  browser = await startBrowser();
});
afterAll(async () => {
  if (hasChromium) await browser.close();
});
// Every test has a server on a port of its own, and thereby an origin with storage of its own.
beforeEach(async () => {
  server = await startServer(MODEL);
  servePage(server, code);
});
afterEach(async () => {
  await Promise.all(
    browser.context
      .pages()
      .slice(1)
      .map((page) => page.close()),
  );
  await server.close();
});

type Outcome = { id: string } | { failed: string; message: string };

function download(page: Page, recheck = false): Promise<Outcome> {
  return page.evaluate(`sotto.download('${server.origin}/model', ${recheck})`);
}

async function openPage(): Promise<Page> {
  return browser.open(`${server.origin}/page`);
}

/** Compares every file with the manifest, as the browser hashes it. */
async function expectWhole(page: Page, model = MODEL): Promise<void> {
  const digests: Record<string, string> = await page.evaluate(`sotto.digests('${ID}')`);
  delete digests[MANIFEST_PATH];
  expect(digests).toEqual(Object.fromEntries(model.entries.map((entry) => [entry.path, entry.sha256])));
}

async function untilSent(bytes: number): Promise<void> {
  while (server.sentBytes < bytes) await sleep(5);
}

describe.skipIf(!hasChromium)('a download in the browser', () => {
  test('stores the whole model and shows what it takes; deleting gives the room back', async () => {
    const page = await openPage();
    expect(await download(page)).toEqual({ id: ID });
    await expectWhole(page);
    expect(server.sentBytes).toBe(MODEL.totalBytes);
    const used: number = await page.evaluate('sotto.room().then((room) => room.usedBytes)');
    expect(used).toBeGreaterThan(MODEL.totalBytes * 0.95);
    await page.evaluate(`sotto.delete('${ID}')`);
    expect(await page.evaluate('sotto.models()')).toEqual([]);
    await expect
      .poll(() => page.evaluate('sotto.room().then((room) => room.usedBytes)'), { timeout: 20_000 })
      .toBeLessThan(MODEL.totalBytes * 0.2);
  });

  test('runs in a worker as well', async () => {
    const page = await openPage();
    expect(await page.evaluate(`sotto.downloadInWorker('${server.origin}/model')`)).toEqual({ id: ID });
    await expectWhole(page);
  });

  test('asks a mirror on another origin without asking for permission first, and may be sent on to a third', async () => {
    const page = await openPage();
    const [mirror, third] = [await startServer(MODEL), await startServer(MODEL)];
    mirror.fault = ({ path }) =>
      path.startsWith('weights') ? { type: 'redirect', to: third.origin } : undefined;
    expect(await page.evaluate(`sotto.download('${mirror.origin}')`)).toEqual({ id: ID });
    await expectWhole(page);
    expect(new Set([...mirror.methods, ...third.methods])).toEqual(new Set(['GET']));
    await Promise.all([mirror.close(), third.close()]);
  });

  test('works on a page that came over plain http, where browsers give neither locks nor hashing', async () => {
    const page = await browser.open(`${server.origin.replace('127.0.0.1', 'sotto.test')}/page`);
    expect(await page.evaluate('[isSecureContext, typeof navigator.locks, typeof crypto.subtle]')).toEqual([
      false,
      'undefined',
      'undefined',
    ]);
    expect(await download(page)).toEqual({ id: ID });
    expect(await page.evaluate(`sotto.stateOf('${ID}')`)).toEqual({ at: 'whole' });
  });
});

describe.skipIf(!hasChromium)('a download that is killed', () => {
  // What was on its way at a blow is lost, on a busy machine a megabyte or two each time. On a model of full
  // size that is little (npm run bench -- weights-download: at most 10 %); here it only must not start files again.
  test('20 times at random points ends complete and verified, and goes on inside files', async () => {
    const large = standInModel({ shards: 6, shardBytes: 8_000_000 });
    const other = await startServer(large);
    servePage(other, code);
    other.bytesPerSecond = 4e6;
    const { page, outcome, extra } = await killTwentyTimes(large, other, browser, 20);
    await other.close();
    expect(outcome).toEqual({ id: ID });
    await expectWhole(page, large);
    // Starting the open files again each time would cost more than 3.
    expect(extra).toBeLessThan(0.6);
  }, 180_000);

  test('knows after a restart how far it had come and from where', async () => {
    server.bytesPerSecond = 10e6;
    let page = await openPage();
    void download(page).catch(() => undefined); // dies with the browser
    await untilSent(MODEL.totalBytes / 2);
    await browser.kill();
    page = await openPage();
    const state: { doneBytes: number } = await page.evaluate(`sotto.stateOf('${ID}')`);
    expect(state).toMatchObject({ at: 'unfinished', source: `${server.origin}/model/` });
    expect(state.doneBytes).toBeGreaterThan(MODEL.totalBytes * 0.3);
  });
});

describe.skipIf(!hasChromium)('a browser that loses what it keeps', () => {
  test('is told so, and only what is lost or wrong is fetched again', async () => {
    let page = await openPage();
    expect(await download(page)).toEqual({ id: ID });
    await browser.kill();
    const records = await largeRecords(join(browser.profile, 'Default', 'IndexedDB'), server.origin);
    await rm(records[1]!);
    const wrong = await readFile(records[40]!);
    wrong[50_000]! ^= 1;
    await writeFile(records[40]!, wrong);
    page = await openPage();
    expect(await page.evaluate(`sotto.readAll('${ID}')`)).toBe('weights-corrupt');
    server.sentBytes = 0;
    expect(await download(page, true)).toEqual({ id: ID });
    await expectWhole(page);
    expect(server.sentBytes).toBeGreaterThan(0);
    expect(server.sentBytes).toBeLessThan(MODEL.totalBytes / 3);
  });

  /** Where the browser keeps the values that it finds too large for its database. */
  async function largeRecords(folder: string, origin: string): Promise<string[]> {
    const name = origin.replace('://', '_').replace(':', '_');
    const files = await readdir(join(folder, `${name}.indexeddb.blob`), {
      recursive: true,
      withFileTypes: true,
    });
    return files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  }
});

describe.skipIf(!hasChromium)('several tabs', () => {
  test('fetch a model once; those that wait see it come', async () => {
    server.bytesPerSecond = 15e6;
    const [first, second] = [await openPage(), await openPage()];
    const running = download(first);
    await untilSent(1e6);
    const waiting = download(second);
    expect(await Promise.all([running, waiting])).toEqual([{ id: ID }, { id: ID }]);
    expect(server.sentBytes).toBe(MODEL.totalBytes);
    const seen: { at: string; doneBytes: number }[] = await second.evaluate('sotto.seen');
    expect(seen.filter((progress) => progress.at === 'waiting').length).toBeGreaterThan(2);
    expect(seen.some((progress) => progress.at === 'fetching')).toBe(false);
    await expectWhole(second);
  });

  test('take over from one that is closed', async () => {
    server.bytesPerSecond = 15e6;
    const [first, second] = [await openPage(), await openPage()];
    void download(first).catch(() => undefined); // closed below
    await untilSent(MODEL.totalBytes / 4);
    const waiting = download(second);
    await untilSent(MODEL.totalBytes / 2);
    await first.close();
    expect(await waiting).toEqual({ id: ID });
    await expectWhole(second);
    expect(server.sentBytes).toBeLessThan(MODEL.totalBytes * 1.4);
  });

  test('may delete what another tab is fetching: that one stops', async () => {
    server.bytesPerSecond = 15e6;
    const [first, second] = [await openPage(), await openPage()];
    const running = download(first);
    await untilSent(MODEL.totalBytes / 4);
    await second.evaluate(`sotto.delete('${ID}')`);
    expect(await running).toMatchObject({ failed: 'AbortError' });
    expect(await second.evaluate('sotto.models()')).toEqual([]);
  });

  test('pause and go on where they were', async () => {
    server.bytesPerSecond = 15e6;
    const page = await openPage();
    const running = download(page);
    await untilSent(MODEL.totalBytes / 2);
    await page.evaluate('sotto.pause()');
    expect(await running).toMatchObject({ failed: 'AbortError' });
    expect(await download(page)).toEqual({ id: ID });
    expect(server.sentBytes).toBeLessThan(MODEL.totalBytes * 1.4);
  });
});

describe.skipIf(!hasChromium)('storage that is short', () => {
  test('is noticed before anything is fetched, where the browser says how much there is', async () => {
    const huge = { ...MODEL.manifest.shards[0]!, bytes: 1e15, pieces: undefined };
    const shards = [huge, ...MODEL.manifest.shards.slice(1)];
    const body = JSON.stringify({ ...MODEL.manifest, shards });
    server.pages.set(MANIFEST_PATH, { type: 'application/json', body });
    expect(await download(await openPage())).toMatchObject({ failed: 'storage-full' });
    expect(server.sentBytes).toBe(0);
  });

  test('and runs out on the way keeps what is there; the rest follows when there is room', async () => {
    const page = await openPage();
    const session = await page.context().newCDPSession(page);
    const quota = { origin: server.origin, quotaSize: MODEL.totalBytes / 2 };
    await session.send('Storage.overrideQuotaForOrigin', quota); // holds as long as the session does
    expect(await download(page)).toMatchObject({ failed: 'storage-full' });
    const { doneBytes }: { doneBytes: number } = await page.evaluate(`sotto.stateOf('${ID}')`);
    expect(doneBytes).toBeGreaterThan(MODEL.totalBytes / 8);
    await session.detach();
    server.sentBytes = 0;
    // The browser goes by its earlier count for a while.
    await expect.poll(() => download(page), { timeout: 50_000, interval: 1000 }).toEqual({ id: ID });
    await expectWhole(page);
    expect(server.sentBytes).toBeLessThan(MODEL.totalBytes);
  }, 90_000);

  test('that is switched off is said to be so', async () => {
    const page = await browser.open(`${server.origin}/boxed`);
    expect(await download(page)).toMatchObject({ failed: 'storage-denied' });
  });
});

describe.skipIf(!hasChromium)('a model from the disk', () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'sotto-import-')), 'my model');
    await mkdir(folder);
    for (const path of [MANIFEST_PATH, ...MODEL.entries.map((entry) => entry.path)]) {
      await writeFile(join(folder, path), MODEL.bytes(path)!);
    }
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function importFolder(): Promise<Outcome> {
    const page = await openPage();
    await page.locator('input').setInputFiles(folder);
    return page.evaluate("sotto.importPicked(document.querySelector('input'))");
  }

  test('is imported from its folder without asking the network', async () => {
    expect(await importFolder()).toEqual({ id: ID });
    const [page] = browser.context.pages().slice(-1);
    await expectWhole(page!);
    expect(server.asked.filter(({ path }) => path !== 'favicon.ico')).toEqual([]);
  });

  test('is imported when its folder is dropped on the page', async () => {
    const page = await openPage();
    const session = await page.context().newCDPSession(page);
    const outcome = page.evaluate('sotto.importDropped()');
    const data = { items: [], files: [folder], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 50, y: 50, data });
    }
    expect(await outcome).toEqual({ id: ID });
    await expectWhole(page);
  });

  test('with a missing shard is refused by that name, and nothing is copied', async () => {
    const { path } = MODEL.manifest.shards[2]!;
    await rm(join(folder, path));
    const outcome = await importFolder();
    expect(outcome).toMatchObject({
      failed: 'weights-missing',
      message: expect.stringContaining(path) as string,
    });
    expect(await browser.context.pages().at(-1)!.evaluate('sotto.models()')).toEqual([]);
  });

  test('with a damaged shard is refused by that name; a download then brings only what is wrong', async () => {
    const { path } = MODEL.manifest.shards[7]!;
    const bytes = MODEL.bytes(path)!;
    bytes[3_900_000]! ^= 1;
    await writeFile(join(folder, path), bytes);
    const outcome = await importFolder();
    expect(outcome).toMatchObject({
      failed: 'weights-corrupt',
      message: expect.stringContaining(path) as string,
    });
    const page = browser.context.pages().at(-1)!;
    expect(await download(page)).toEqual({ id: ID });
    await expectWhole(page);
    expect(server.sentBytes).toBeLessThan(1e6);
  });

  test('without a manifest, or with two, is not guessed at', async () => {
    await mkdir(join(folder, 'second'));
    await writeFile(join(folder, 'second', MANIFEST_PATH), '{}');
    expect(await importFolder()).toMatchObject({ failed: 'model-not-found' });
    await rm(join(folder, 'second'), { recursive: true });
    await rm(join(folder, MANIFEST_PATH));
    expect(await importFolder()).toMatchObject({ failed: 'model-not-found' });
  });
});
