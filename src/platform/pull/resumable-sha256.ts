// A running hash that outlives the program: for downloads that go on after it was closed.

import { createSHA256 } from 'hash-wasm';
import type { Sha256 } from '../install/sha256.ts';

/** A hash whose inner state can be put aside and taken up again. */
export interface ResumableSha256 extends Sha256 {
  save(): Uint8Array;
  restore(state: Uint8Array): void;
}

/** In WebAssembly: works in every browser and on Node, where it is a seventh as fast as Node's own. */
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
