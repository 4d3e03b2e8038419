// What the page costs: bytes and time of a first visit, time to the first text with the sample model at hand,
// and memory while long recordings are read, each for so many minutes at most. By hand:
//
//   npx tsx test/page/page-costs.ts [MINUTES RECORDING …]

import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright';
import { CHROMIUM_ARGUMENTS, CHROMIUM_PATH } from '../chromium.ts';
import { memoryOf } from './memory.ts';
import { startPageServer } from './serve-page.ts';

const VISITS = 3;

async function main(minutes: number, recordings: readonly string[]): Promise<void> {
  const server = await startPageServer();
  const browser = await chromium.launch({
    ...(CHROMIUM_PATH !== undefined && { executablePath: CHROMIUM_PATH }),
    args: CHROMIUM_ARGUMENTS,
  });
  try {
    console.log(`Chromium ${browser.version()}`);
    await measureFirstVisit(browser, server.url);
    await measureFirstText(browser, server.url);
    for (const recording of recordings) await measureMemory(browser, server.url, recording, minutes);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Everything that comes before the first click, and how long it takes until the page stands. */
async function measureFirstVisit(browser: Browser, url: string): Promise<void> {
  const seconds: number[] = [];
  const bodies = new Map<string, Buffer>();
  for (let visit = 0; visit < VISITS; visit++) {
    const context = await browser.newContext({ locale: 'en-US' });
    const page = await context.newPage();
    page.on('response', (response) => {
      if (response.ok())
        void response.body().then(
          (body) => bodies.set(new URL(response.url()).pathname, body),
          () => undefined,
        );
    });
    await page.goto(url);
    await page.getByRole('heading', { name: 'Try it' }).waitFor();
    seconds.push((await page.evaluate(() => performance.now())) / 1000);
    await sleep(500);
    await context.close();
  }
  const of = (pattern: RegExp): Buffer =>
    Buffer.concat([...bodies].filter(([path]) => pattern.test(path)).map(([, body]) => body));
  for (const [kind, pattern] of [
    ['scripts', /\.js$/],
    ['styles', /\.css$/],
    ['all', /./],
  ] as const) {
    const body = of(pattern);
    console.log(
      `first visit, ${kind}: ${kilobytes(body.length)}, gzip ${kilobytes(gzipSync(body).length)}, brotli ${kilobytes(brotliCompressSync(body).length)}`,
    );
  }
  console.log(`first visit, ready to use: ${spread(seconds)} s (${VISITS} visits, nothing cached)`);
}

/** From the click on "Read it" to the first words, on a second visit, engine closed. */
async function measureFirstText(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext({ locale: 'en-US' });
  const page = await context.newPage();
  const seconds: number[] = [];
  const warm: number[] = [];
  for (let visit = 0; visit <= VISITS; visit++) {
    await page.goto(url);
    await page.reload();
    const cold = await secondsToText(page);
    await page.getByText('Saved', { exact: true }).waitFor({ timeout: 120_000 });
    await page.getByRole('link', { name: 'Home' }).click();
    const again = await secondsToText(page);
    await page.getByText('Saved', { exact: true }).waitFor({ timeout: 120_000 });
    // The first visit is the one that fetches.
    if (visit > 0) {
      seconds.push(cold);
      warm.push(again);
    }
  }
  console.log(`first text, sample model cached: ${spread(seconds)} s (engine opened and checked on the way)`);
  console.log(`first text, engine open: ${spread(warm)} s`);
  await context.close();
}

async function secondsToText(page: Page): Promise<number> {
  const row = page.getByRole('listitem').filter({ hasText: 'I whisper because everybody is sleeping' });
  const button = row.getByRole('button', { name: 'Read it' });
  await button.waitFor();
  await button.evaluate((element) => {
    document.documentElement.dataset.clickedAtMs = String(performance.now());
    (element as HTMLButtonElement).click();
  });
  const seconds = await page.waitForFunction(
    () =>
      (document.querySelector('ol li p, ol li [role="textbox"]')?.textContent ?? '') !== '' &&
      (performance.now() - Number(document.documentElement.dataset.clickedAtMs)) / 1000,
    undefined,
    { polling: 'raf', timeout: 120_000 },
  );
  return (await seconds.jsonValue()) as number;
}

/** What the page's process takes while `recording` is read, beyond what it takes with the engine open. */
async function measureMemory(
  browser: Browser,
  url: string,
  recording: string,
  minutes: number,
): Promise<void> {
  const context = await browser.newContext({ locale: 'en-US' });
  const page = await context.newPage();
  await page.goto(url);
  await secondsToText(page);
  await page.getByText('Saved', { exact: true }).waitFor({ timeout: 120_000 });
  await page.getByRole('link', { name: 'Home' }).click();
  const before = await memoryOf(browser, page);
  const startedAt = performance.now();
  await page.setInputFiles('#open-recordings', recording);
  const name = basename(recording);
  const peak = { pageMb: 0, rendererMb: 0 };
  for (;;) {
    await sleep(1000);
    const now = await memoryOf(browser, page);
    peak.pageMb = Math.max(peak.pageMb, now.pageMb);
    peak.rendererMb = Math.max(peak.rendererMb, now.rendererMb);
    if (await isOver(page)) break;
    if (performance.now() - startedAt > minutes * 60_000) break;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const read = await page
    .locator('.note.reading .numbers')
    .textContent({ timeout: 1000 })
    .catch(() => 'whole');
  const segments = await page.getByRole('textbox', { name: /^Text at/ }).count();
  console.log(
    `${name}: ${seconds.toFixed(0)} s, ${read?.trim().replace(/\s+/g, ' ')}, ${segments} passages; ` +
      `process ${before.rendererMb.toFixed(0)} → at most ${peak.rendererMb.toFixed(0)} MB (+${(peak.rendererMb - before.rendererMb).toFixed(0)}), ` +
      `heap ${before.pageMb.toFixed(0)} → at most ${peak.pageMb.toFixed(0)} MB (+${(peak.pageMb - before.pageMb).toFixed(0)})`,
  );
  await context.close();
}

/**
 * A single recording is shown while it is read; its text is saved when it is over. Asked without a locator: those
 * look through all text of the page, and what they leave for the collector is more than what the page leaves.
 */
async function isOver(page: Page): Promise<boolean> {
  return page.evaluate(
    () =>
      document.querySelector('.saved')?.textContent.trim() === 'Saved' ||
      document.querySelector('[data-state="failed"]') !== null,
  );
}

function spread(seconds: readonly number[]): string {
  const sorted = [...seconds].sort((a, b) => a - b);
  const middle = sorted[sorted.length >> 1] ?? NaN;
  return `${middle.toFixed(2)} (${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)})`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

const [minutes, ...recordings] = process.argv.slice(2);
await main(Number(minutes ?? 0), recordings);
