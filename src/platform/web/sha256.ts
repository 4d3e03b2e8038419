// Running SHA-256 in a browser. WebCrypto hashes only what lies in memory as a whole, and is missing on pages
// that came over plain http; WebAssembly works everywhere.

import type { Sha256 } from '../install/sha256.ts';
import { createWasmSha256 } from '../pull/resumable-sha256.ts';

export function createBrowserSha256(): Promise<Sha256> {
  return createWasmSha256();
}
