// What an interrupted pull leaves behind to go on with: which shards stand, and how far the file was hashed.
// A small JSON file beside the shards, replaced as a whole whenever a shard is finished.

import { type FileEntry, MANIFEST_PATH } from '../../model/manifest.ts';
import type { ShardStore } from '../../ports.ts';

/** No manifest can name a file so. */
export const JOURNAL_PATH = '.conversion.json';

const VERSION = 1;

/** How far a file of the source was hashed, and the hash's inner state there (hex). */
export interface HashMark {
  readonly fileVersion: string;
  readonly atByte: number;
  readonly state: string;
  /** True once the whole file matched the published hash. */
  readonly verified: boolean;
}

export interface JournalContent {
  /** For people and for the page's list of models. */
  readonly source: string;
  readonly title: string;
  readonly profile: string;
  /** Of all shards, and of those that stand. */
  readonly plannedBytes: number;
  readonly storedBytes: number;
}

interface Stored extends JournalContent {
  readonly version: number;
  readonly shards: Readonly<Record<string, FileEntry>>;
  readonly hashes: Readonly<Record<string, HashMark>>;
}

/** What was being pulled into this store; undefined when nothing was, or it has become whole. */
export async function pullUnderWay(store: ShardStore): Promise<JournalContent | undefined> {
  const names = new Set((await store.list()).filter((file) => file.whole).map((file) => file.path));
  return names.has(MANIFEST_PATH) ? undefined : readJournal(store);
}

async function readJournal(store: ShardStore): Promise<Stored | undefined> {
  const isThere = (await store.list()).some((file) => file.path === JOURNAL_PATH && file.whole);
  if (!isThere) return undefined;
  try {
    const json = JSON.parse(new TextDecoder().decode(await store.read(JOURNAL_PATH))) as Stored;
    return json.version === VERSION ? json : undefined;
  } catch {
    return undefined; // cut off or of another program: nothing is recalled
  }
}

export class Journal {
  readonly #store: ShardStore;
  readonly #about: Omit<JournalContent, 'plannedBytes' | 'storedBytes'>;
  readonly #shards: Map<string, FileEntry>;
  readonly #hashes: Map<string, HashMark>;
  plannedBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(store: ShardStore, about: Journal['about'], before: Stored | undefined) {
    this.#store = store;
    this.#about = about;
    this.#shards = new Map(Object.entries(before?.shards ?? {}));
    this.#hashes = new Map(Object.entries(before?.hashes ?? {}));
  }

  get about(): Omit<JournalContent, 'plannedBytes' | 'storedBytes'> {
    return this.#about;
  }

  static async existsIn(store: ShardStore): Promise<boolean> {
    return (await readJournal(store)) !== undefined;
  }

  static async open(store: ShardStore, about: Journal['about']): Promise<Journal> {
    return new Journal(store, about, await readJournal(store));
  }

  shard(planKey: string): FileEntry | undefined {
    return this.#shards.get(planKey);
  }

  get storedBytes(): number {
    return [...this.#shards.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  hash(path: string): HashMark | undefined {
    return this.#hashes.get(path);
  }

  noteShard(planKey: string, file: FileEntry): void {
    this.#shards.set(planKey, file);
  }

  forgetShard(planKey: string): void {
    this.#shards.delete(planKey);
  }

  noteHash(path: string, mark: HashMark): void {
    this.#hashes.set(path, mark);
  }

  /** Writes everything noted so far; one writing after the other. */
  save(): Promise<void> {
    const write = async (): Promise<void> => {
      const content: Stored = {
        version: VERSION,
        ...this.#about,
        plannedBytes: this.plannedBytes,
        storedBytes: this.storedBytes,
        shards: Object.fromEntries(this.#shards),
        hashes: Object.fromEntries(this.#hashes),
      };
      await this.#store.write(
        JOURNAL_PATH,
        new Uint8Array(new TextEncoder().encode(JSON.stringify(content))),
      );
    };
    this.#writing = this.#writing.catch(() => undefined).then(write);
    return this.#writing;
  }
}
