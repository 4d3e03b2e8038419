// Models in a folder of their own each. A whole model is an ordinary model folder (model-dir.ts opens it);
// what is unfinished lies in a hidden folder beside its files.
//
//   <root>/<id>/manifest.json, weights-….bin, …     whole files, renamed into place
//   <root>/<id>/.unfinished/weights-….bin           their beginnings
//   <root>/<id>.lock                                who is writing (model-lock.ts)

import { createReadStream } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  truncate,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AsrError, assert, isAsrError } from '../../errors.ts';
import { MANIFEST_PATH } from '../../model/manifest.ts';
import type { ModelLibrary, ShardStore, StoredFile, StoredModel } from '../../ports.ts';
import { withModelLock } from './model-lock.ts';

const UNFINISHED = '.unfinished';
const LOCK_SUFFIX = '.lock';

/** How long deleting waits for whoever writes the model. */
const DELETE_MILLISECONDS = 2000;

/** Bytes read at a time when a file is only looked through. */
const STREAM_BYTES = 1 << 20;

/** The models under `root`, which need not exist yet. */
export function diskLibrary(root: string): ModelLibrary {
  const home = resolve(root);
  const folderOf = (id: string): string => {
    assert(/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(id), `"${id}" is a plain folder name`);
    return join(home, id);
  };
  return {
    store: (id) => diskStore(folderOf(id)),
    list: async () => {
      const entries = await guarded(home, () => orNothing(readdir(home, { withFileTypes: true }), []));
      const ids = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
      const models = await Promise.all(ids.map((id) => describe(id, diskStore(join(home, id)))));
      return models.filter((model) => model !== undefined);
    },
    delete: async (id) => {
      const folder = folderOf(id);
      if ((await orNothing(stat(folder), undefined)) === undefined) return;
      const remove = (): Promise<void> => guarded(folder, () => rm(folder, { recursive: true, force: true }));
      const patience = AbortSignal.timeout(DELETE_MILLISECONDS);
      try {
        await withModelLock(`${folder}${LOCK_SUFFIX}`, remove, { signal: patience });
      } catch (cause) {
        if (!patience.aborted || isAsrError(cause)) throw cause;
        throw new AsrError('model-busy', `another program is writing ${folder}`, { cause });
      }
    },
    freeBytes: async () => {
      const stats = await statfs(await nearestFolder(home));
      return stats.bavail * stats.bsize;
    },
    exclusively: async (id, work, options) => {
      await guarded(home, () => mkdir(home, { recursive: true }));
      return withModelLock(`${folderOf(id)}${LOCK_SUFFIX}`, work, options);
    },
  };
}

/** One model's folder, which need not exist yet. */
export function diskStore(folder: string): ShardStore {
  return new DiskStore(folder);
}

class DiskStore implements ShardStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<StoredFile[]> {
    const whole = await guarded(this.#folder, () => listFolder(this.#folder, true));
    const names = new Set(whole.map((file) => file.path));
    const unfinished = await listFolder(join(this.#folder, UNFINISHED), false);
    return [...whole, ...unfinished.filter((file) => !names.has(file.path) && !file.path.endsWith('.new'))];
  }

  async read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const whole = this.#whole(path);
    try {
      const content = await readFile(whole);
      return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') throw new AsrError('weights-missing', `${whole} is missing`, { cause });
      throw new AsrError('weights-corrupt', `${whole} cannot be read (${codeOf(cause)})`, { cause });
    }
  }

  async *stream(path: string): AsyncGenerator<Uint8Array> {
    for (const file of [this.#whole(path), this.#unfinished(path)]) {
      if ((await orNothing(stat(file), undefined)) === undefined) continue;
      yield* createReadStream(file, { highWaterMark: STREAM_BYTES }) as AsyncIterable<Uint8Array>;
      return;
    }
  }

  async write(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const fresh = `${this.#unfinished(path)}.new`;
    await this.#change(path, async () => {
      await put(fresh, 'w', (file) => file.writeFile(bytes), true);
      await rename(fresh, this.#whole(path));
      await rm(this.#unfinished(path), { force: true });
      await syncFolder(this.#folder);
      // The manifest comes last. A newer version may be on its way already; then the folder is not empty.
      if (path === MANIFEST_PATH) await rmdir(join(this.#folder, UNFINISHED)).catch(() => undefined);
    }).catch(async (error: unknown) => {
      await rm(fresh, { force: true }).catch(() => undefined); // the first failure is the one to tell
      throw error;
    });
  }

  async append(path: string, startByte: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const unfinished = this.#unfinished(path);
    await this.#change(path, async () => {
      const size = (await orNothing(stat(unfinished), undefined))?.size ?? 0;
      const isWhole = (await orNothing(stat(this.#whole(path)), undefined)) !== undefined;
      if (size !== startByte || isWhole) {
        throw new AsrError('model-busy', `${unfinished} does not end at byte ${startByte}`);
      }
      try {
        await put(unfinished, 'a', (file) => file.appendFile(bytes), false);
      } catch (error) {
        // A full disk takes part of it; what was there before stays.
        await truncate(unfinished, startByte).catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    });
  }

  async finish(path: string): Promise<void> {
    const unfinished = this.#unfinished(path);
    await this.#change(path, async () => {
      if ((await orNothing(stat(unfinished), undefined)) === undefined) {
        throw new AsrError('weights-missing', `${unfinished} is missing`);
      }
      await put(unfinished, 'r+', async () => undefined, true);
      await rename(unfinished, this.#whole(path));
      await syncFolder(this.#folder);
    });
  }

  async truncate(path: string, keepBytes: number): Promise<void> {
    const unfinished = this.#unfinished(path);
    await this.#change(path, async () => {
      if ((await orNothing(stat(this.#whole(path)), undefined)) !== undefined) {
        await rename(this.#whole(path), unfinished);
      }
      const size = (await orNothing(stat(unfinished), undefined))?.size ?? 0;
      if (size > keepBytes) await truncate(unfinished, keepBytes);
    });
  }

  async delete(path: string): Promise<void> {
    await guarded(this.#folder, async () => {
      await rm(this.#whole(path), { force: true });
      await rm(this.#unfinished(path), { force: true });
    });
  }

  #whole(path: string): string {
    assert(/^\.?[A-Za-z0-9][A-Za-z0-9._-]*$/.test(path), `"${path}" is a plain file name`);
    return join(this.#folder, path);
  }

  #unfinished(path: string): string {
    return join(dirname(this.#whole(path)), UNFINISHED, path);
  }

  /** Does something to a file in a folder that is sure to be there. */
  async #change(path: string, work: () => Promise<void>): Promise<void> {
    await guarded(this.#whole(path), async () => {
      await mkdir(join(this.#folder, UNFINISHED), { recursive: true });
      await work();
    });
  }
}

async function describe(id: string, store: ShardStore): Promise<StoredModel | undefined> {
  const files = await store.list();
  if (files.length === 0) return undefined;
  const storedBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { id, storedBytes, whole: files.some((file) => file.path === MANIFEST_PATH && file.whole) };
}

async function listFolder(folder: string, whole: boolean): Promise<StoredFile[]> {
  const entries = await orNothing(readdir(folder, { withFileTypes: true }), []);
  const files = entries.filter((entry) => entry.isFile());
  const stats = files.map(async ({ name }) => ({
    path: name,
    bytes: (await stat(join(folder, name))).size,
    whole,
  }));
  return Promise.all(stats);
}

async function put(
  path: string,
  flags: string,
  work: (file: FileHandle) => Promise<void>,
  sync: boolean,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await work(file);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename lasts through a power cut only when its folder was synced; not every system can. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await put(folder, 'r', async () => undefined, true);
}

async function nearestFolder(path: string): Promise<string> {
  const found = await orNothing(stat(path), undefined);
  return found !== undefined || dirname(path) === path ? path : nearestFolder(dirname(path));
}

/** What is not there is no failure. */
async function orNothing<T, U>(work: Promise<T>, nothing: U): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return nothing;
    throw error;
  }
}

/** Says in our words why a disk refuses. */
async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (isAsrError(cause)) throw cause;
    const code = codeOf(cause);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new AsrError('storage-full', `no room for ${path}`, { cause });
    }
    throw new AsrError('output-unwritable', `${path} cannot be used (${code})`, { cause });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? String(error);
}
