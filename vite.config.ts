import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { ensureMessages, MESSAGES } from './scripts/compile-messages.mjs';

/** Debian's Chromium, or the one that CHROMIUM_PATH names; without either, Playwright's own. */
const chromium = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

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
          exclude: ['test/browser/**', 'test/gpu/**'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins: [svelte()],
        optimizeDeps: { exclude: ['onnxruntime-web'] },
        server: { headers: isolated },
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: chromium,
                args: [
                  '--no-sandbox',
                  '--enable-unsafe-webgpu',
                  '--use-webgpu-adapter=swiftshader',
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                  '--no-first-run',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
}));
