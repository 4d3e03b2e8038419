// A real browser with a profile of its own, on a page that can install models. Driven from Node, so that a
// test can close the page, kill the browser, cut the network and count at the server.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright';
import { build } from 'vite';
import type { IllBehavedServer } from '../ill-behaved-server.ts';

/** Debian's Chromium, or the one that CHROMIUM_PATH names. */
export const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

const ENTRY = join(import.meta.dirname, '../../browser/pages/install-page.ts');

export function bundleInstallPage(): Promise<string> {
  return bundlePage(ENTRY);
}

/** A page's code as one module. */
export async function bundlePage(entry: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      lib: { entry, formats: ['es'], fileName: 'page' },
    },
  });
  const outputs = Array.isArray(result) ? result : [result];
  for (const { output } of outputs as { output: { type: string; code?: string }[] }[]) {
    const code = output.find((part) => part.type === 'chunk')?.code;
    if (code !== undefined) return code;
  }
  throw new Error(`${entry} was not bundled`);
}

/** Lets the server give out the page, as `/page` and, without any rights to storage, as `/boxed`. */
export function servePage(server: IllBehavedServer, code: string): void {
  const html =
    '<!doctype html><input type="file" webkitdirectory><script type="module" src="install-page.js"></script>';
  const anywhere = { 'access-control-allow-origin': '*' };
  server.pages.set('page', { type: 'text/html', body: html });
  server.pages.set('boxed', {
    type: 'text/html',
    body: html,
    headers: { 'content-security-policy': 'sandbox allow-scripts' },
  });
  server.pages.set('install-page.js', { type: 'text/javascript', body: code, headers: anywhere });
}

export interface InstallBrowser {
  readonly profile: string;
  context: BrowserContext;
  /** A new tab on the install page. */
  open(url: string): Promise<Page>;
  /** Ends the browser without asking, and starts it again on the same profile. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export async function startBrowser(): Promise<InstallBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'sotto-profile-'));
  const browser: InstallBrowser = {
    profile,
    context: await launch(profile),
    async open(url) {
      const page = await browser.context.newPage();
      await page.goto(url);
      await page.waitForFunction('globalThis.sotto !== undefined');
      return page;
    },
    async kill() {
      const pids = await processIds(browser.context);
      process.kill(pids.browser[0]!, 'SIGKILL');
      await browser.context.close().catch(() => undefined); // it is gone already
      browser.context = await launch(profile);
    },
    async close() {
      await browser.context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
  return browser;
}

function launch(profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      // Asked for its memory, a page answers at once instead of within half a minute.
      '--enable-blink-features=ForceEagerMeasureMemory',
      // A name that is not this machine's own: an origin that the browser does not call secure.
      '--host-resolver-rules=MAP sotto.test 127.0.0.1',
    ],
  });
}

/** Of one browser: its own process, and those of its pages. */
export async function processIds(context: BrowserContext): Promise<Record<'browser' | 'renderer', number[]>> {
  const session = await context.browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const ids = (type: string): number[] => processInfo.filter((one) => one.type === type).map((one) => one.id);
  return { browser: ids('browser'), renderer: ids('renderer') };
}
