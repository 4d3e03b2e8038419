// What a page takes of the machine's memory, for measurements by hand.

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright';

/** Of the page's JavaScript, and of the largest process that shows a page. */
export async function memoryOf(
  browser: Browser,
  page: Page,
): Promise<{ readonly pageMb: number; readonly rendererMb: number }> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => residentMb(id));
  // JavaScript's part alone: quick to ask, and it needs no garbage collection.
  const { jsHeap } = await page.evaluate(() => ({
    jsHeap:
      (performance as Performance & { readonly memory?: { readonly usedJSHeapSize: number } }).memory
        ?.usedJSHeapSize ?? 0,
  }));
  return { pageMb: jsHeap / 1e6, rendererMb: Math.max(...renderers) };
}

/** Of one process, in MB: all of it, or without the files that it maps. 0 when it has ended. */
export function residentMb(pid: number, part: 'VmRSS' | 'RssAnon' = 'VmRSS'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`${part}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1000;
  } catch {
    return 0; // it has ended
  }
}
