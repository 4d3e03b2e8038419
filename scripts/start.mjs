// npm start: from a fresh clone to text on the screen, then the page on http://localhost:7860 until Ctrl-C.
// `npm start -- --no-serve` ends after the text; other options go to `sotto serve`.

import { spawnSync } from 'node:child_process';
import { ROOT, ensureBuilt, ensureInstalled } from './prepare.mjs';

const options = process.argv.slice(2).filter((option) => option !== '--no-serve');
const serves = options.length === process.argv.length - 2;

ensureInstalled();
ensureBuilt('node');
if (serves) ensureBuilt('page');

const { status } = spawnSync(process.execPath, ['dist/node/sotto.js', 'demo'], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (serves && status !== 130) {
  // The page can do without what the demo lacked.
  process.stdout.write('\n');
  process.argv.splice(2, Infinity, 'serve', ...options);
  await import('../dist/node/sotto.js');
} else {
  process.exitCode = status ?? 1;
}
