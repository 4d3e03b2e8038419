// Builds what ships: dist/node (terminal and server) and dist/page.

import { mkdirSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
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
          'engine-thread': join(ROOT, 'src/platform/node/engine-thread.ts'),
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

await buildNode();
await buildPage();
mkdirSync(join(ROOT, 'dist'), { recursive: true });
writeFileSync(join(ROOT, 'dist/.built'), `${new Date().toISOString()}\n`);
