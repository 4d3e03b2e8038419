// npm test: from a fresh clone to a verdict. Types, lint and format, then the tests on Node and in Chromium.

import { ensureChromium, ensureInstalled, run } from './prepare.mjs';

ensureInstalled();
const chromium = ensureChromium();
run('bash', ['scripts/check.sh']);
// One after the other: tests in a browser have time limits of their own, and small machines have two cores.
for (const project of ['node', 'browser', 'page']) {
  run('npx', ['--no-install', 'vitest', 'run', '--project', project], {
    env: { CHROMIUM_PATH: chromium ?? '' },
  });
}
