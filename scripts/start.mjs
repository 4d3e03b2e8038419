// npm start: from a fresh clone to text on the screen.

import { ensureBuilt, ensureInstalled } from './prepare.mjs';

ensureInstalled();
ensureBuilt('node');
process.argv.splice(2, 0, 'demo');
await import('../dist/node/sotto.js');
