// Draws the icons' PNGs from the two SVGs in public/, with the Chromium of the tests. Run it after changing
// an SVG: node scripts/icons.mjs

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { ensureChromium, ROOT } from './prepare.mjs';

const PUBLIC = join(ROOT, 'public');
const PNGS = [
  ['icon.svg', 'icon-192.png', 192],
  ['icon.svg', 'icon-512.png', 512],
  // Apple cuts the corners itself and shows nothing through.
  ['icon-maskable.svg', 'icon-180.png', 180],
  ['icon-maskable.svg', 'icon-maskable-192.png', 192],
  ['icon-maskable.svg', 'icon-maskable-512.png', 512],
];

const browser = await chromium.launch({
  executablePath: ensureChromium() || undefined,
  args: ['--no-sandbox'],
});
for (const [source, target, size] of PNGS) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const svg = readFileSync(join(PUBLIC, source), 'utf8');
  await page.setContent(
    `<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`,
  );
  await page.screenshot({ path: join(PUBLIC, target), omitBackground: true });
  await page.close();
}
await browser.close();
