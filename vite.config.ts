import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { ensureMessages, MESSAGES } from './scripts/compile-messages.mjs';
import { CHROMIUM_ARGUMENTS, CHROMIUM_PATH } from './test/chromium.ts';

/** With these the page may use WASM threads. */
const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

await ensureMessages();

export default defineConfig(({ command }) => ({
  plugins: [
    svelte(),
    // While the page is being worked on, messages are compiled as they are written.
    command === 'serve' && !process.env.VITEST && paraglideVitePlugin(MESSAGES),
  ],
  // A build serves from any folder of any static host.
  base: './',
  build: { target: 'es2023', assetsInlineLimit: 0, outDir: 'dist/page', emptyOutDir: true },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: { headers: isolated },
  preview: { headers: isolated },
  test: {
    projects: [
      {
        plugins: [svelte()],
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', 'test/page/**', 'test/gpu/**'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins: [svelte()],
        optimizeDeps: {
          exclude: ['onnxruntime-web'],
          // Found late, they would make Vite reload the page in the middle of a test.
          include: ['bits-ui', 'minisearch', 'opencc-js', 'opencc-js/t2cn'],
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
          testTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
}));
