#!/usr/bin/env node
// The terminal program, ready to use from a fresh clone: installs and builds first if need be.

import { ensureBuilt, ensureInstalled } from './prepare.mjs';

ensureInstalled();
ensureBuilt('node');
await import('../dist/node/sotto.js');
