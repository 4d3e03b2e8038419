// npm run bench: every measurement that takes seconds, side by side in one run. With names, only those:
//
//   npm run bench -- log-mel converter
//
// Verdicts go into SPEED.md, with date and hardware.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensureBuilt, ensureInstalled, run, say } from './prepare.mjs';

/** Too long or too large for every run; each has a command of its own in SPEED.md. */
const BY_NAME_ONLY = ['full-size', 'server', 'weights-download'];

ensureInstalled();
ensureBuilt('node');
const wanted = process.argv.slice(2);
const benches = readdirSync(join(ROOT, 'test/bench')).filter((file) => file.endsWith('.ts'));
const nameOf = (file) => file.replace(/(\.bench)?\.ts$/, '');
const chosen = benches.filter((file) =>
  wanted.length > 0 ? wanted.includes(nameOf(file)) : !BY_NAME_ONLY.includes(nameOf(file)),
);
if (chosen.length === 0) say(`there are: ${benches.map(nameOf).join(', ')}`);
for (const file of chosen) {
  say(nameOf(file));
  const path = join('test/bench', file);
  if (file.endsWith('.bench.ts'))
    run('npx', ['--no-install', 'vitest', 'bench', '--run', '--project', 'node', path]);
  else run('npx', ['--no-install', 'tsx', path]);
}
