// Running SHA-256 on Node.

import { createHash } from 'node:crypto';
import type { Sha256 } from '../install/sha256.ts';

/** All at once, in place: takes 50 ms for 64 MiB. */
export async function nodeHashBytes(content: Uint8Array<ArrayBuffer>): Promise<string> {
  return createHash('sha256').update(content).digest('hex');
}

export async function createNodeSha256(): Promise<Sha256> {
  let hash = createHash('sha256');
  return {
    reset: () => (hash = createHash('sha256')),
    update: (bytes) => hash.update(bytes),
    hex: () => hash.digest('hex'),
  };
}
