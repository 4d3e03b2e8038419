// Running SHA-256 in a browser. WebCrypto hashes only what lies in memory as a whole, and is missing on pages
// that came over plain http; this one is WebAssembly and works everywhere.

import { createSHA256 } from 'hash-wasm';
import type { Sha256 } from '../install/sha256.ts';
import type { ResumableSha256 } from '../pull/pulled-file.ts';

export async function createBrowserSha256(): Promise<Sha256> {
  return createResumableSha256();
}

export async function createResumableSha256(): Promise<ResumableSha256> {
  const hash = await createSHA256();
  return {
    reset: () => void hash.init(),
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.digest('hex'),
    save: () => hash.save(),
    restore: (state) => void hash.load(state),
  };
}
