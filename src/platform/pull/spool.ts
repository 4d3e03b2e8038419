// Blocks of the source's file that were fetched and are still needed: kept in the store, so that a pull that was
// killed goes on where it was and not where the last shard ended. Each carries its hash in its name.
//
//   .block-<file>-<number>-<first 16 digits of SHA-256>

import { sha256 } from '../../convert/hash.ts';
import type { ShardStore } from '../../ports.ts';

const NAME = /^\.block-(.+)-(\d{6})-([0-9a-f]{16})$/;

export class Spool {
  readonly #store: ShardStore;
  readonly #file: string;
  readonly #paths = new Map<number, string>();

  private constructor(store: ShardStore, file: string) {
    this.#store = store;
    this.#file = file;
  }

  /** The blocks of `file` that an earlier pull left. Fails as the store does. */
  static async open(store: ShardStore, file: string): Promise<Spool> {
    const spool = new Spool(store, file);
    for (const { path } of await store.list()) {
      const [, name, number] = NAME.exec(path) ?? [];
      if (name === file) spool.#paths.set(Number(number), path);
    }
    return spool;
  }

  has(number: number): boolean {
    return this.#paths.has(number);
  }

  numbers(): number[] {
    return [...this.#paths.keys()];
  }

  async put(number: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const hash = (await sha256(bytes)).slice(0, 16);
    const path = `.block-${this.#file}-${String(number).padStart(6, '0')}-${hash}`;
    await this.#store.append(path, 0, bytes);
    this.#paths.set(number, path);
  }

  /** A block, if storage still has it as it was put. */
  async get(number: number, bytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const path = this.#paths.get(number);
    if (path === undefined) return undefined;
    const block = new Uint8Array(bytes);
    let at = 0;
    for await (const part of this.#store.stream(path)) {
      if (at + part.length <= bytes) block.set(part, at);
      at += part.length;
    }
    const [, , , hash] = NAME.exec(path) ?? [];
    if (at === bytes && (await sha256(block)).startsWith(hash ?? 'none')) return block;
    await this.drop(number);
    return undefined;
  }

  async drop(number: number): Promise<void> {
    const path = this.#paths.get(number);
    if (path === undefined) return;
    this.#paths.delete(number);
    await this.#store.delete(path);
  }

  async clear(): Promise<void> {
    for (const number of this.numbers()) await this.drop(number);
  }
}

/** Takes all blocks of all files out of a store. */
export async function dropBlocks(store: ShardStore): Promise<void> {
  for (const { path } of await store.list()) if (NAME.test(path)) await store.delete(path);
}
