// A library that lasts as long as the page: for private windows, where nothing may be stored, and for tests.

import { joinBytes } from '../../bytes.ts';
import { AsrError } from '../../errors.ts';
import { MANIFEST_PATH } from '../../model/manifest.ts';
import type { ModelLibrary, ShardStore, StoredFile } from '../../ports.ts';
import { orAbort } from './waiting.ts';

interface MemoryFile {
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  readonly whole: boolean;
}

/** Keeps models in ordinary memory. */
export function memoryLibrary(): ModelLibrary {
  const models = new Map<string, MemoryStore>();
  const turns = new Map<string, Promise<unknown>>();
  const store = (id: string): MemoryStore => {
    const found = models.get(id) ?? new MemoryStore();
    models.set(id, found);
    return found;
  };
  return {
    store,
    async list() {
      const filled = await Promise.all(
        [...models].map(async ([id, model]) => ({ id, files: await model.list() })),
      );
      return filled
        .filter(({ files }) => files.length > 0)
        .map(({ id, files }) => ({
          id,
          storedBytes: files.reduce((sum, file) => sum + file.bytes, 0),
          whole: files.some((file) => file.path === MANIFEST_PATH && file.whole),
        }));
    },
    async delete(id) {
      models.get(id)?.clear();
    },
    async freeBytes() {
      return undefined;
    },
    async exclusively(id, work, { signal, onWait }) {
      const before = turns.get(id);
      if (before !== undefined) onWait?.();
      const turn = (before ?? Promise.resolve()).then(() => {
        signal.throwIfAborted();
        return work();
      });
      const settled: Promise<unknown> = turn.catch(() => undefined); // its own caller hears of it
      turns.set(id, settled);
      void settled.then(() => turns.get(id) === settled && turns.delete(id));
      if (before !== undefined) await orAbort(before, signal);
      return turn;
    },
  };
}

class MemoryStore implements ShardStore {
  readonly #files = new Map<string, MemoryFile>();

  clear(): void {
    this.#files.clear();
  }

  async list(): Promise<StoredFile[]> {
    return [...this.#files].map(([path, file]) => ({ path, bytes: sizeOf(file), whole: file.whole }));
  }

  async read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.#files.get(path);
    if (file?.whole !== true) throw new AsrError('weights-missing', `${path} is not stored`);
    return joinBytes(file.parts);
  }

  async *stream(path: string): AsyncGenerator<Uint8Array> {
    yield* this.#files.get(path)?.parts ?? [];
  }

  async write(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#files.set(path, { parts: [bytes.slice()], whole: true });
  }

  async append(path: string, startByte: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const file = this.#files.get(path) ?? { parts: [], whole: false };
    if (file.whole || sizeOf(file) !== startByte) {
      throw new AsrError('model-busy', `${path} does not end at byte ${startByte}`);
    }
    this.#files.set(path, { parts: [...file.parts, bytes.slice()], whole: false });
  }

  async finish(path: string): Promise<void> {
    const file = this.#files.get(path);
    if (file === undefined) throw new AsrError('weights-missing', `${path} is not stored`);
    this.#files.set(path, { ...file, whole: true });
  }

  async truncate(path: string, keepBytes: number): Promise<void> {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.set(path, { parts: [joinBytes(file.parts).slice(0, keepBytes)], whole: false });
  }

  async delete(path: string): Promise<void> {
    this.#files.delete(path);
  }
}

function sizeOf({ parts }: MemoryFile): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
