// A running hash that outlives the program: for downloads that go on after it was closed.

import { createSHA256 } from 'hash-wasm';
import type { Sha256 } from '../install/sha256.ts';

/** A hash whose inner state can be put aside. Where it computes is its own affair (hash-thread.ts). */
export interface ResumableSha256 {
  /** Takes the bytes, which may be changed when it returns; they need not be hashed yet. One at a time. */
  update(bytes: Uint8Array): Promise<void>;
  /** The state after everything that was taken. */
  save(): Promise<Uint8Array>;
  /** Lower-case hex of everything that was taken; nothing may come after it. */
  hex(): Promise<string>;
  release(): void;
}

/** Starts a hash, or goes on with one that was saved. */
export type StartSha256 = (state?: Uint8Array) => Promise<ResumableSha256>;

/** In the thread that asks. */
export const startSha256: StartSha256 = async (state) => {
  const hash = await createWasmSha256();
  if (state === undefined) hash.reset();
  else hash.restore(state);
  return {
    update: async (bytes) => hash.update(bytes),
    save: async () => hash.save(),
    hex: async () => hash.hex(),
    release: () => undefined,
  };
};

/** What hash-wasm can do. */
export interface WasmSha256 extends Sha256 {
  save(): Uint8Array;
  restore(state: Uint8Array): void;
}

/** In WebAssembly: works in every browser and on Node, where it is a seventh as fast as Node's own. */
export async function createWasmSha256(): Promise<WasmSha256> {
  const hash = await createSHA256();
  return {
    reset: () => void hash.init(),
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.digest('hex'),
    save: () => hash.save(),
    restore: (state) => void hash.load(state),
  };
}
