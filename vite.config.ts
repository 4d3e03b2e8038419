import { availableParallelism } from 'node:os';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import type { Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { defineConfig } from 'vitest/config';
import { ensureMessages, MESSAGES } from './scripts/compile-messages.mjs';
import { APP_MANIFEST } from './src/app/app-manifest.ts';
import { contentPolicy, pageHeaders } from './src/wire/page-policy.ts';
import { CHROMIUM_ARGUMENTS, CHROMIUM_PATH } from './test/chromium.ts';

/** With these the page may use WASM threads. */
const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Writes the page's policy into index.html, so that it holds on hosts that send no headers. */
const sealPage: Plugin = {
  name: 'sotto:seal-page',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: contentPolicy() },
      injectTo: 'head-prepend',
    },
  ],
};

/** The service worker and the app's manifest. */
const installable = VitePWA({
  strategies: 'injectManifest',
  srcDir: 'workers',
  filename: 'sw.ts',
  injectRegister: false,
  manifest: APP_MANIFEST,
  includeManifestIcons: false,
  injectManifest: {
    rollupFormat: 'iife',
    globPatterns: ['index.html', 'assets/**', '*.{svg,png}', 'models/sample/**', 'clips/*.{json,wav}'],
    // Their addresses change with their content.
    dontCacheBustURLsMatching: /^assets\//,
    maximumFileSizeToCacheInBytes: 100 * 2 ** 20,
  },
});

await ensureMessages();

export default defineConfig(({ command }) => ({
  plugins: [
    svelte(),
    sealPage,
    command === 'build' && installable,
    // While the page is being worked on, messages are compiled as they are written.
    command === 'serve' && !process.env.VITEST && paraglideVitePlugin(MESSAGES),
  ],
  // A build serves from any folder of any static host.
  base: './',
  build: { target: 'es2023', assetsInlineLimit: 0, outDir: 'dist/page', emptyOutDir: true },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: { headers: isolated },
  preview: { headers: pageHeaders() },
  test: {
    projects: [
      {
        plugins: [svelte()],
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', 'test/page/**', 'test/gpu/**'],
          pool: 'forks',
          // Two even on two cores: half of the time a test waits for a program that it has started.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins: [svelte()],
        optimizeDeps: {
          exclude: ['onnxruntime-web'],
          // Found late, they would make Vite reload the page in the middle of a test.
          include: ['bits-ui', 'fast-check', 'minisearch', 'opencc-js', 'opencc-js/t2cn'],
        },
        server: { headers: isolated },
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(CHROMIUM_PATH !== undefined && { executablePath: CHROMIUM_PATH }),
                args: CHROMIUM_ARGUMENTS,
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'page',
          include: ['test/page/**/*.test.ts'],
          globalSetup: ['test/page/serve-page.ts'],
          pool: 'forks',
          testTimeout: 420_000,
          // Sound is played in real time: a machine that was busy for a moment gets another chance.
          retry: 1,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
}));
