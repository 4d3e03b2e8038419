// A converted model into a store: shards are noted as they are finished, the manifest makes it a model.

import type { ModelSink } from '../../convert/byte-source.ts';
import { sha256 } from '../../convert/hash.ts';
import { type FileEntry, filesOf, MANIFEST_PATH, parseManifest } from '../../model/manifest.ts';
import type { ShardStore } from '../../ports.ts';
import { type Journal, JOURNAL_PATH } from './journal.ts';

export interface StoreSinkHooks {
  /** A shard stands; the journal is saved right afterwards. */
  readonly onShard: () => Promise<void>;
  /** The journal knows of the shard. */
  readonly onSaved: () => Promise<void>;
  /** Everything but the manifest stands. A rejection keeps it from being stored. */
  readonly beforeManifest: () => Promise<void>;
}

export class StoreSink implements ModelSink {
  readonly #store: ShardStore;
  readonly #journal: Journal;
  readonly #hooks: StoreSinkHooks;

  constructor(store: ShardStore, journal: Journal, hooks: StoreSinkHooks) {
    this.#store = store;
    this.#journal = journal;
    this.#hooks = hooks;
  }

  /** A shard of an earlier attempt, after reading it again: storage is not trusted. */
  async recall(planKey: string): Promise<FileEntry | undefined> {
    const entry = this.#journal.shard(planKey);
    if (entry === undefined) return undefined;
    const stored = (await this.#store.list()).find((file) => file.path === entry.path);
    if (stored?.whole === true && stored.bytes === entry.bytes) {
      const content = await this.#store.read(entry.path).catch(() => undefined); // then it is made again
      if (content !== undefined && (await sha256(content)) === entry.sha256) return entry;
    }
    this.#journal.forgetShard(planKey);
    return undefined;
  }

  async write(file: FileEntry, content: Uint8Array<ArrayBuffer>, planKey?: string): Promise<void> {
    if (file.path === MANIFEST_PATH) {
      await this.#hooks.beforeManifest();
      await this.#journal.save();
    }
    await this.#store.write(file.path, content);
    if (planKey !== undefined) {
      this.#journal.noteShard(planKey, file);
      await this.#hooks.onShard();
      await this.#journal.save();
      await this.#hooks.onSaved();
    }
    if (file.path === MANIFEST_PATH) await this.#sweep(content);
  }

  /** Deletes what the model does not need: an earlier version's files, blocks of the source. */
  async #sweep(manifest: Uint8Array): Promise<void> {
    const { path } = { path: MANIFEST_PATH };
    const files = filesOf(parseManifest(JSON.parse(new TextDecoder().decode(manifest))));
    const kept = new Set([path, JOURNAL_PATH, ...files.map((file) => file.path)]);
    for (const file of await this.#store.list())
      if (!kept.has(file.path)) await this.#store.delete(file.path);
  }
}

/** Deletes everything but the whole model that the store holds, if it holds one. */
export async function discardUnfinished(store: ShardStore): Promise<void> {
  const files = await store.list();
  const kept = new Set<string>();
  if (files.some((file) => file.path === MANIFEST_PATH && file.whole)) {
    const manifest = parseManifest(JSON.parse(new TextDecoder().decode(await store.read(MANIFEST_PATH))));
    for (const path of [MANIFEST_PATH, ...filesOf(manifest).map((file) => file.path)]) kept.add(path);
  }
  for (const { path } of files) if (!kept.has(path)) await store.delete(path);
}
