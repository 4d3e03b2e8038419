// A page that does nothing but install models, for tests that close it, reload it and take its storage away
// (test/platform/web). Bundled there; everything hangs on `globalThis.sotto`.

import { isAsrError } from '../../../src/errors.ts';
import type { InstallProgress } from '../../../src/platform/install/progress.ts';
import { installState, storedModel } from '../../../src/platform/install/stored-model.ts';
import { downloadModel } from '../../../src/platform/web/download.ts';
import { droppedFiles, importModel, pickedFiles } from '../../../src/platform/web/import-files.ts';
import type { TabInstallOptions } from '../../../src/platform/web/install-in-tab.ts';
import { browserLibrary } from '../../../src/platform/web/shard-store.ts';
import { storageRoom } from '../../../src/platform/web/storage-room.ts';

type Outcome = { readonly id: string } | { readonly failed: string; readonly message: string };

const library = browserLibrary();
const patience = { stallSeconds: 3, firstPauseSeconds: 0.05, maxPauseSeconds: 0.5, tries: 30 };

async function outcome(work: Promise<{ readonly id: string }>): Promise<Outcome> {
  try {
    return { id: (await work).id };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { failed: isAsrError(error) ? error.code : error.name, message: error.message };
  }
}

class InstallPage {
  readonly seen: InstallProgress[] = [];
  #stop = new AbortController();

  get last(): InstallProgress | undefined {
    return this.seen.at(-1);
  }

  download(address: string, recheck = false): Promise<Outcome> {
    return outcome(downloadModel(address, library, { ...this.#options(), recheck, patience }));
  }

  /** The same in a worker of its own; pausing it is ending it. */
  downloadInWorker(address: string): Promise<Outcome> {
    const worker = new Worker('install-page.js', { type: 'module' });
    return new Promise((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<Outcome>): void => resolve(data);
      worker.postMessage(address);
    });
  }

  importPicked(input: HTMLInputElement): Promise<Outcome> {
    return outcome(importModel(pickedFiles(input.files ?? []), library, this.#options()));
  }

  /** What became of the first thing that is dropped on the page. */
  importDropped(): Promise<Outcome> {
    addEventListener('dragover', (event) => event.preventDefault());
    return new Promise((resolve) => {
      addEventListener('drop', (event) => {
        event.preventDefault();
        const given = droppedFiles(event.dataTransfer!.items);
        resolve(outcome(given.then((files) => importModel(files, library, this.#options()))));
      });
    });
  }

  pause(): void {
    this.#stop.abort();
  }

  async delete(id: string): Promise<void> {
    await library.delete(id);
  }

  models(): ReturnType<typeof library.list> {
    return library.list();
  }

  room(): ReturnType<typeof storageRoom> {
    return storageRoom();
  }

  async stateOf(id: string): Promise<{ at: string; source?: string; doneBytes?: number }> {
    const state = await installState(library.store(id));
    return state.at === 'unfinished'
      ? { at: state.at, source: state.source, doneBytes: state.doneBytes }
      : { at: state.at };
  }

  /** SHA-256 of every whole file, as the browser itself hashes it. */
  async digests(id: string): Promise<Record<string, string>> {
    const store = library.store(id);
    const digests: Record<string, string> = {};
    for (const { path, whole } of await store.list()) {
      if (!whole) continue;
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await store.read(path)));
      digests[path] = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    }
    return digests;
  }

  /** Reads every file as the loader does: 'whole', or the code of what is wrong. */
  async readAll(id: string): Promise<string> {
    const store = library.store(id);
    const outcomeOfAll = await outcome(
      (async () => {
        for (const { path, bytes } of await store.list()) await storedModel(store).file(path, bytes).read();
        return { id: 'whole' };
      })(),
    );
    return 'id' in outcomeOfAll ? outcomeOfAll.id : outcomeOfAll.failed;
  }

  /** Reads every whole file once, as the loader does, and copies as much in memory to compare with. */
  async readBack(id: string): Promise<{ bytes: number; readSeconds: number; copySeconds: number }> {
    const store = library.store(id);
    const target = new Uint8Array(64 << 20).fill(1);
    let [bytes, readSeconds, copySeconds] = [0, 0, 0];
    for (const { path } of await store.list()) {
      const startedAt = performance.now();
      const content = await store.read(path);
      const readAt = performance.now();
      target.set(content.subarray(0, target.length));
      copySeconds += (performance.now() - readAt) / 1000;
      readSeconds += (readAt - startedAt) / 1000;
      bytes += content.length;
    }
    return { bytes, readSeconds, copySeconds };
  }

  /** The usual way, to compare with: whole files in memory, three at a time, hashed and put at once. */
  async fetchWholeFiles(address: string, paths: readonly string[]): Promise<void> {
    const queue = [...paths];
    const store = browserLibrary('whole-files').store('m');
    const lane = async (): Promise<void> => {
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        const content = new Uint8Array(await (await fetch(`${address}/${path}`)).arrayBuffer());
        await crypto.subtle.digest('SHA-256', content);
        await store.write(path, content);
      }
    };
    await Promise.all([lane(), lane(), lane()]);
  }

  #options(): TabInstallOptions {
    this.#stop = new AbortController();
    return { signal: this.#stop.signal, onProgress: (progress) => void this.seen.push(progress) };
  }
}

const page = new InstallPage();
if (typeof document === 'undefined') {
  globalThis.onmessage = async ({ data }: MessageEvent<string>): Promise<void> => {
    globalThis.postMessage(await page.download(data));
  };
} else {
  Object.assign(globalThis, { sotto: page });
}
