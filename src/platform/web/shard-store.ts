// Models in IndexedDB, all in one database of small records.
//
//   ['file', id, path]             { bytes, whole }
//   ['part', id, path, startByte]  ArrayBuffer: the file's bytes from there on, a few MiB at most
//
// Records are ArrayBuffers, never Blobs: the browser's own process keeps every Blob in memory until a
// writing page is done (measured: 1.2 GB for 1 GB). A file is not copied together when it becomes whole.

import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { AsrError, isAsrError } from '../../errors.ts';
import { MANIFEST_PATH } from '../../model/manifest.ts';
import type { ModelLibrary, ShardStore, StoredFile, StoredModel } from '../../ports.ts';
import { openModelChannel } from './model-channel.ts';
import { exclusively } from './model-lock.ts';
import { freeBytes } from './storage-room.ts';

const DATABASE = 'sotto-models';
const OBJECT_STORE = 'records';

/** Whole files are cut into records of this size, so that looking through them takes little memory. */
const RECORD_BYTES = 4 << 20;

/** How long a tab that is asked to stop may take to store what it has. */
const STOP_MILLISECONDS = 10_000;

interface FileRecord {
  readonly bytes: number;
  readonly whole: boolean;
}

/** The models that this browser keeps for this site. Nothing is touched until it is used. */
export function browserLibrary(database = DATABASE): ModelLibrary {
  const use = explained(createStoreLate(database));
  return {
    store: (id) => new IndexedDbStore(use, id),
    list: () => listModels(use),
    delete: (id) => deleteModel(use, id),
    freeBytes,
    exclusively,
  };
}

class IndexedDbStore implements ShardStore {
  readonly #use: UseStore;
  readonly #id: string;

  constructor(use: UseStore, id: string) {
    this.#use = use;
    this.#id = id;
  }

  list(): Promise<StoredFile[]> {
    return this.#use('readonly', async (records) =>
      (await fileRecords(records, under('file', this.#id))).map(({ path, bytes, whole }) => ({
        path,
        bytes,
        whole,
      })),
    );
  }

  async read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const file = await this.#use('readonly', (records) => this.#file(records, path));
    if (file?.whole !== true) throw new AsrError('weights-missing', `${path} is not stored`);
    const content = new Uint8Array(file.bytes);
    let atByte = 0;
    for await (const part of this.stream(path)) {
      if (atByte + part.length > file.bytes) throw damaged(path);
      content.set(part, atByte);
      atByte += part.length;
    }
    if (atByte < file.bytes) throw damaged(path);
    return content;
  }

  /**
   * Ends at the first gap, if storage has lost a record.
   *
   * Two records are under way at a time: 1.3 to 2.0 times as fast as one, more were no faster (SPEED.md, "Full size").
   */
  async *stream(path: string): AsyncGenerator<Uint8Array> {
    const keys = await this.#use('readonly', (records) => this.#partKeys(records, path));
    let atByte = 0;
    let next = this.#ahead(keys[0]);
    for (const [index, key] of keys.entries()) {
      const current = next;
      next = this.#ahead(keys[index + 1]); // asked for before the current one is awaited
      const part = await current;
      if (part === undefined || key[3] !== atByte) return;
      yield part;
      atByte += part.length;
    }
  }

  write(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#use('readwrite', (records) => {
      records.delete(under('part', this.#id, path));
      for (let startByte = 0; startByte < bytes.length; startByte += RECORD_BYTES) {
        records.put(
          record(bytes.subarray(startByte, startByte + RECORD_BYTES)),
          this.#partKey(path, startByte),
        );
      }
      this.#note(records, path, { bytes: bytes.length, whole: true });
      return promisifyRequest(records.transaction);
    });
  }

  append(path: string, startByte: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#use('readwrite', async (records) => {
      const file = (await this.#file(records, path)) ?? { bytes: 0, whole: false };
      if (file.whole || file.bytes !== startByte) {
        throw new AsrError('model-busy', `${path} does not end at byte ${startByte}`);
      }
      records.put(record(bytes), this.#partKey(path, startByte));
      this.#note(records, path, { bytes: startByte + bytes.length, whole: false });
      await promisifyRequest(records.transaction);
    });
  }

  finish(path: string): Promise<void> {
    return this.#use('readwrite', async (records) => {
      const file = await this.#file(records, path);
      if (file === undefined) throw new AsrError('weights-missing', `${path} is not stored`);
      this.#note(records, path, { bytes: file.bytes, whole: true });
      await promisifyRequest(records.transaction);
    });
  }

  truncate(path: string, keepBytes: number): Promise<void> {
    return this.#use('readwrite', async (records) => {
      const file = await this.#file(records, path);
      if (file === undefined) return;
      const keys = await this.#partKeys(records, path);
      const cut = keys.findLast((key) => key[3] < keepBytes);
      records.delete(IDBKeyRange.bound(this.#partKey(path, keepBytes), this.#partKey(path, Infinity)));
      if (cut !== undefined) {
        const part = (await promisifyRequest(records.get(cut))) as ArrayBuffer;
        records.put(part.slice(0, keepBytes - cut[3]), cut);
      }
      this.#note(records, path, { bytes: Math.min(file.bytes, keepBytes), whole: false });
      await promisifyRequest(records.transaction);
    });
  }

  delete(path: string): Promise<void> {
    return this.#use('readwrite', (records) => {
      records.delete(['file', this.#id, path]);
      records.delete(under('part', this.#id, path));
      return promisifyRequest(records.transaction);
    });
  }

  #file(records: IDBObjectStore, path: string): Promise<FileRecord | undefined> {
    return promisifyRequest<FileRecord | undefined>(records.get(['file', this.#id, path]));
  }

  #note(records: IDBObjectStore, path: string, file: FileRecord): void {
    records.put(file, ['file', this.#id, path]);
  }

  #partKey(path: string, startByte: number): PartKey {
    return ['part', this.#id, path, startByte];
  }

  /** In order of their start. */
  async #partKeys(records: IDBObjectStore, path: string): Promise<PartKey[]> {
    return (await promisifyRequest(records.getAllKeys(under('part', this.#id, path)))) as PartKey[];
  }

  /** A part that is wanted next; whoever stops before it does not hear that it failed. */
  #ahead(key: PartKey | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const part = key === undefined ? Promise.resolve(undefined) : this.#part(key);
    part.catch(() => undefined);
    return part;
  }

  /** undefined when storage has lost it. */
  async #part(key: PartKey): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const content = await this.#use('readonly', async (records) => {
      try {
        return await promisifyRequest<unknown>(records.get(key));
      } catch (error) {
        // The record is listed but its bytes are gone; browsers have two names for that.
        if (error instanceof DOMException && LOST.has(error.name)) return undefined;
        throw error;
      }
    });
    return content instanceof ArrayBuffer ? new Uint8Array(content) : undefined;
  }
}

type PartKey = ['part', id: string, path: string, startByte: number];

const LOST: ReadonlySet<string> = new Set(['NotReadableError', 'DataError']);

/** All keys that begin so: an empty array sorts after every number and every text. */
function under(...start: string[]): IDBKeyRange {
  return IDBKeyRange.bound(start, [...start, []]);
}

/** The bytes as a record of their own; a view of a larger buffer would drag the whole buffer along. */
function record(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}

function damaged(path: string): AsrError {
  return new AsrError('weights-corrupt', `storage has lost part of ${path}`);
}

type NamedFile = FileRecord & { readonly id: string; readonly path: string };

async function fileRecords(records: IDBObjectStore, range: IDBKeyRange): Promise<NamedFile[]> {
  const keys = promisifyRequest(records.getAllKeys(range)) as Promise<['file', string, string][]>;
  const values = promisifyRequest(records.getAll(range)) as Promise<FileRecord[]>;
  const files = await values;
  return (await keys).flatMap(([, id, path], index) => {
    const file = files[index];
    return file === undefined ? [] : [{ id, path, ...file }];
  });
}

async function listModels(use: UseStore): Promise<StoredModel[]> {
  const models = new Map<string, StoredModel>();
  for (const { id, path, bytes, whole } of await use('readonly', (records) =>
    fileRecords(records, under('file')),
  )) {
    const model = models.get(id) ?? { id, storedBytes: 0, whole: false };
    models.set(id, {
      id,
      storedBytes: model.storedBytes + bytes,
      whole: model.whole || (path === MANIFEST_PATH && whole),
    });
  }
  return [...models.values()];
}

/** Asks whoever writes the model to stop, here and in other tabs, and deletes it when they have. */
async function deleteModel(use: UseStore, id: string): Promise<void> {
  const channel = openModelChannel(id);
  channel.stopOthers();
  const work = (): Promise<void> =>
    use('readwrite', (records) => {
      records.delete(under('file', id));
      records.delete(under('part', id));
      return promisifyRequest(records.transaction);
    });
  const patience = AbortSignal.timeout(STOP_MILLISECONDS);
  try {
    await exclusively(id, work, { signal: patience });
  } catch (cause) {
    if (!patience.aborted || isAsrError(cause)) throw cause;
    throw new AsrError('model-busy', `${id} is being written in another tab, which does not stop`, { cause });
  } finally {
    channel.close();
  }
}

/** The database, opened at its first use: where storage is switched off, opening is what fails. */
function createStoreLate(database: string): UseStore {
  let opened: UseStore | undefined;
  return async (mode, work) => {
    opened ??= createStore(database, OBJECT_STORE);
    return opened(mode, work);
  };
}

/** Says in our words why the browser refuses. */
function explained(use: UseStore): UseStore {
  return async (mode, work) => {
    try {
      return await use(mode, work);
    } catch (cause) {
      if (isAsrError(cause)) throw cause;
      const name = cause instanceof Error ? cause.name : String(cause);
      if (name === 'QuotaExceededError') {
        throw new AsrError('storage-full', 'the browser allows this site no more storage', { cause });
      }
      throw new AsrError('storage-denied', `the browser gives no storage (${name})`, { cause });
    }
  };
}
