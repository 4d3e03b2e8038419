// What a download costs in a browser: memory of the page and of the browser's processes, speed, what twenty
// blows make it fetch twice. On a large stand-in model, so by hand: npx tsx test/bench/weights-download.ts [megabytes]

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright';
import { type IllBehavedServer, startServer } from '../platform/ill-behaved-server.ts';
import { standInModel, type StandInModel } from '../platform/stand-in-model.ts';
import {
  bundleInstallPage,
  type InstallBrowser,
  servePage,
  startBrowser,
} from '../platform/web/install-browser.ts';
import { killTwentyTimes } from '../platform/web/twenty-kills.ts';

const SHARD_BYTES = 64 << 20;
const ID = 'stand-in-fp32';

interface Memory {
  /** Objects and buffers that the page holds, workers included (performance.measureUserAgentSpecificMemory). */
  pageMb: number;
  rendererMb: number;
  browserMb: number;
  servicesMb: number;
}

async function main(megabytes: number): Promise<void> {
  const model = standInModel({ shards: Math.ceil((megabytes * 1e6) / SHARD_BYTES), shardBytes: SHARD_BYTES });
  console.log(
    `model: ${(model.totalBytes / 1e6).toFixed(0)} MB in ${model.manifest.shards.length} shards of 64 MiB`,
  );
  const code = await bundleInstallPage();
  const address = (server: IllBehavedServer): string => `${server.origin}/model`;
  const speedMb = await measured(
    'in the page',
    model,
    code,
    (server) => `sotto.download('${address(server)}')`,
  );
  await measured(
    'in a worker',
    model,
    code,
    (server) => `sotto.downloadInWorker('${address(server)}')`,
    readBack,
  );
  const paths = JSON.stringify(model.entries.map((entry) => entry.path));
  await measured(
    'whole files',
    model,
    code,
    (server) => `sotto.fetchWholeFiles('${address(server)}', ${paths})`,
  );
  // A line slower than the machine: otherwise what lies in the buffers of the system is counted, not what we lose.
  await kills(model, code, speedMb / 3);
}

async function measured(
  name: string,
  model: StandInModel,
  code: string,
  command: (server: IllBehavedServer) => string,
  afterwards?: (page: Page) => Promise<void>,
): Promise<number> {
  const server = await startIsolated(model, code);
  const browser = await startBrowser();
  try {
    const page = await browser.open(`${server.origin}/page`);
    const before = await memoryOf(page, browser);
    const startedAt = performance.now();
    let over = false;
    const work = page.evaluate(command(server)).finally(() => (over = true));
    const peak = await peakWhile(page, browser, () => over);
    const outcome = await work;
    const seconds = (performance.now() - startedAt) / 1000;
    const speed = model.totalBytes / 1e6 / seconds;
    console.log(`${name}: ${JSON.stringify(outcome)} ${seconds.toFixed(1)} s, ${speed.toFixed(0)} MB/s`);
    console.log(`  before ${tell(before)}`);
    console.log(`  peak   ${tell(peak)}`);
    await afterwards?.(page);
    return speed;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Cross-origin isolated, so that the page's memory can be asked for. */
async function startIsolated(model: StandInModel, code: string): Promise<IllBehavedServer> {
  const server = await startServer(model);
  servePage(server, code);
  const isolated = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  for (const page of server.pages.values()) page.headers = { ...page.headers, ...isolated };
  return server;
}

/** At once, while the disk still writes, and when it has written, as on a later visit. */
async function readBack(page: Page): Promise<void> {
  await readOnce(page, 'right behind');
  execFileSync('sync');
  for (const visit of [1, 2, 3]) await readOnce(page, `written, reading ${visit}`);
}

async function readOnce(page: Page, when: string): Promise<void> {
  const { bytes, readSeconds, copySeconds }: { bytes: number; readSeconds: number; copySeconds: number } =
    await page.evaluate(`sotto.readBack('${ID}')`);
  const rate = (seconds: number): string => (bytes / 1e6 / seconds).toFixed(0);
  const ratio = (copySeconds / readSeconds).toFixed(3);
  console.log(
    `  read back ${when}: ${rate(readSeconds)} MB/s, copying in memory ${rate(copySeconds)} MB/s: ratio ${ratio}`,
  );
}

async function kills(model: StandInModel, code: string, lineMb: number): Promise<void> {
  const server = await startServer(model);
  servePage(server, code);
  server.bytesPerSecond = lineMb * 1e6;
  const browser = await startBrowser();
  try {
    const startedAt = performance.now();
    const { page, outcome, extra } = await killTwentyTimes(model, server, browser, 7);
    const digests: Record<string, string> = await page.evaluate(`sotto.digests('${ID}')`);
    const right = model.entries.filter((entry) => digests[entry.path] === entry.sha256).length;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    console.log(
      `struck 20 times: ${JSON.stringify(outcome)}, ${right} of ${model.entries.length} files right, ${seconds} s at ${lineMb.toFixed(0)} MB/s`,
    );
    console.log(`  ${(extra * 100).toFixed(1)} % fetched twice (at most 10 %)`);
    if (extra > 0.1 || right < model.entries.length) process.exitCode = 1;
  } finally {
    await browser.close();
    await server.close();
  }
}

async function peakWhile(page: Page, browser: InstallBrowser, over: () => boolean): Promise<Memory> {
  const peak: Memory = { pageMb: 0, rendererMb: 0, browserMb: 0, servicesMb: 0 };
  while (!over()) {
    const now = await memoryOf(page, browser);
    for (const key of Object.keys(peak) as (keyof Memory)[]) peak[key] = Math.max(peak[key], now[key]);
    await sleep(100);
  }
  return peak;
}

let session: CDPSession | undefined;
let sessionOf: InstallBrowser | undefined;

async function memoryOf(page: Page, browser: InstallBrowser): Promise<Memory> {
  if (session === undefined || sessionOf !== browser) {
    session = await browser.context.browser()!.newBrowserCDPSession();
    sessionOf = browser;
  }
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = await Promise.all(
    processInfo.map(async ({ type, id }) => ({ type, mb: await residentMb(id) })),
  );
  const all = (fits: (type: string) => boolean): number[] =>
    sizes.filter((one) => fits(one.type)).map((one) => one.mb);
  const { bytes }: { bytes: number } = await page.evaluate('performance.measureUserAgentSpecificMemory()');
  return {
    pageMb: bytes / 1e6,
    rendererMb: Math.max(...all((type) => type === 'renderer')),
    browserMb: Math.max(...all((type) => type === 'browser')),
    servicesMb: all((type) => type.includes('mojom')).reduce((sum, mb) => sum + mb, 0),
  };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000;
}

function tell({ pageMb, rendererMb, browserMb, servicesMb }: Memory): string {
  const mb = (value: number): string => `${value.toFixed(0)} MB`;
  return `page ${mb(pageMb)}, renderer ${mb(rendererMb)}, browser ${mb(browserMb)}, services ${mb(servicesMb)}`;
}

await main(Number(process.argv[2] ?? 640));
