// Serves the built page for all whole-page tests, as any static host would.

import { preview } from 'vite';
import type { TestProject } from 'vitest/node';
import { ensureBuilt } from '../../scripts/prepare.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    pageUrl: string;
  }
}

export default async function servePage(project: TestProject): Promise<() => Promise<void>> {
  ensureBuilt('page');
  const server = await preview({ appType: 'mpa', logLevel: 'warn', preview: { port: 0, host: 'localhost' } });
  const [url] = server.resolvedUrls?.local ?? [];
  if (url === undefined) throw new Error('the page is not served');
  project.provide('pageUrl', url);
  return () => server.close();
}
