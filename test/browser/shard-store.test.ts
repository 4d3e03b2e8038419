import { browserLibrary } from '../../src/platform/web/shard-store.ts';
import { shardStoreContract } from '../contract/shard-store.ts';

shardStoreContract('IndexedDB', async () => browserLibrary(`test-${crypto.randomUUID()}`));
