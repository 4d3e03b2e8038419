// npm test: from a fresh clone to a verdict. Types, lint and format, then the tests on Node and in Chromium.

import { ensureChromium, ensureInstalled, run } from './prepare.mjs';

ensureInstalled();
const chromium = ensureChromium();
run('bash', ['scripts/check.sh']);
run('npx', ['--no-install', 'vitest', 'run'], { env: { CHROMIUM_PATH: chromium ?? '' } });
