import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { diskLibrary } from '../../../src/platform/node/shard-store.ts';
import { shardStoreContract } from '../../contract/shard-store.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sotto-store-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

shardStoreContract('disk', async () => diskLibrary(join(await mkdtemp(join(scratch, 'library-')), 'models')));
