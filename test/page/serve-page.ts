// Serves the built page for all whole-page tests, as any static host would.

import { preview } from 'vite';
import type { TestProject } from 'vitest/node';
import { ensureBuilt } from '../../scripts/prepare.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    pageUrl: string;
  }
}

/** The built page on a free port of this machine. */
export async function startPageServer(): Promise<{ readonly url: string; close(): Promise<void> }> {
  ensureBuilt('page');
  const server = await preview({ appType: 'mpa', logLevel: 'warn', preview: { port: 0, host: 'localhost' } });
  const [url] = server.resolvedUrls?.local ?? [];
  if (url === undefined) throw new Error('the page is not served');
  return { url, close: () => server.close() };
}

export default async function servePage(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPageServer();
  project.provide('pageUrl', server.url);
  return () => server.close();
}
