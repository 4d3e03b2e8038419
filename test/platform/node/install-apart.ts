// Installs a model in a process of its own: node --import tsx install-apart.ts <address> <root>

import { openHttpSource } from '../../../src/platform/install/http-source.ts';
import { PATIENCE } from '../../../src/platform/install/http.ts';
import { installModel } from '../../../src/platform/install/install.ts';
import { createNodeSha256 } from '../../../src/platform/node/sha256.ts';
import { diskLibrary } from '../../../src/platform/node/shard-store.ts';

const [address = '', root = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const source = await openHttpSource(address, fetch, PATIENCE, signal);
await installModel(source, diskLibrary(root), { createSha256: createNodeSha256, signal });
