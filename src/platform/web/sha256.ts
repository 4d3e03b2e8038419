// Running SHA-256 in a browser. WebCrypto hashes only what lies in memory as a whole, and is missing on pages
// that came over plain http; this one is WebAssembly and works everywhere.

import { createSHA256 } from 'hash-wasm';
import type { Sha256 } from '../install/sha256.ts';

export async function createBrowserSha256(): Promise<Sha256> {
  const hash = await createSHA256();
  return {
    reset: () => void hash.init(),
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.digest('hex'),
  };
}
