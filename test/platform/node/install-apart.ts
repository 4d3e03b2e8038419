// Installs a model in a process of its own: node --import tsx install-apart.ts <address> <root>

import { downloadModel } from '../../../src/platform/node/download.ts';
import { diskLibrary } from '../../../src/platform/node/shard-store.ts';

const [address = '', root = ''] = process.argv.slice(2);
await downloadModel(address, diskLibrary(root), { signal: new AbortController().signal });
