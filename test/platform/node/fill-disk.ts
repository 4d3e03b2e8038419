// Writes more than a small disk holds and tells what came of it: node --import tsx fill-disk.ts <root>

import { isAsrError } from '../../../src/errors.ts';
import { diskLibrary } from '../../../src/platform/node/shard-store.ts';

const [root = ''] = process.argv.slice(2);
const store = diskLibrary(root).store('m');

async function codeOf(work: Promise<void>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return isAsrError(error) ? error.code : String(error);
  }
}

await store.write('kept.bin', new Uint8Array(1000));
await store.append('part.bin', 0, new Uint8Array(1_000_000));
const append = await codeOf(store.append('part.bin', 1_000_000, new Uint8Array(4_000_000)));
const write = await codeOf(store.write('whole.bin', new Uint8Array(4_000_000)));
const files = (await store.list()).sort((a, b) => (a.path < b.path ? -1 : 1));
process.stdout.write(JSON.stringify({ append, write, files }));
