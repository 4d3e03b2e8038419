// Builds what ships: dist/node (terminal and server) and dist/page; one of them when it is named.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { ROOT } from './prepare.mjs';

/** The programs of Node: everything from npm stays outside the bundle. */
async function buildNode() {
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: [], external: true },
    build: {
      ssr: true,
      target: 'node20',
      outDir: 'dist/node',
      emptyOutDir: true,
      minify: false,
      sourcemap: true,
      rolldownOptions: {
        input: {
          sotto: join(ROOT, 'src/cli/start.ts'),
          'engine-process': join(ROOT, 'src/platform/node/engine-process.ts'),
          'webgpu-probe': join(ROOT, 'src/platform/node/webgpu-probe.ts'),
          'hash-thread': join(ROOT, 'src/platform/node/hash-thread.ts'),
          'decode-thread': join(ROOT, 'src/platform/node/decode-thread.ts'),
        },
        // All in one folder: a program finds its thread beside itself.
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  });
}

async function buildPage() {
  if (!existsSync(join(ROOT, 'index.html'))) return;
  await build({ root: ROOT, logLevel: 'warn' });
}

// What ships is the same whoever builds it: a test runner that builds on demand would have a page made for tests.
process.env.NODE_ENV = 'production';
const parts = process.argv.length > 2 ? process.argv.slice(2) : ['node', 'page'];
for (const part of parts) {
  await (part === 'node' ? buildNode() : buildPage());
  mkdirSync(join(ROOT, 'dist', part), { recursive: true });
  writeFileSync(join(ROOT, 'dist', part, '.built'), '');
}
