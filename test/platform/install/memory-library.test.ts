import { memoryLibrary } from '../../../src/platform/install/memory-library.ts';
import { shardStoreContract } from '../../contract/shard-store.ts';

shardStoreContract('memory', async () => memoryLibrary());
