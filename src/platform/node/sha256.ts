// Running SHA-256 on Node.

import { createHash } from 'node:crypto';
import type { Sha256 } from '../install/sha256.ts';

export async function createNodeSha256(): Promise<Sha256> {
  let hash = createHash('sha256');
  return {
    reset: () => (hash = createHash('sha256')),
    update: (bytes) => hash.update(bytes),
    hex: () => hash.digest('hex'),
  };
}
