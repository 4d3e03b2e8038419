// The models in this browser: the sample that ships with the page, those that were fetched, and the one on
// its way.

import { isAbort, isAsrError } from '../../errors.ts';
import { type Manifest, parseManifest } from '../../model/manifest.ts';
import { candidatePaths } from '../../platform/web/compute-path.ts';
import { downloadModel } from '../../platform/web/download.ts';
import type { GivenFile } from '../../platform/web/given-file.ts';
import { importModel } from '../../platform/web/import-files.ts';
import { watchInstall } from '../../platform/web/install-in-tab.ts';
import { pullInWorker } from '../../platform/web/pull-client.ts';
import { holdsCheckpoint, type PullOrigin } from '../../platform/web/pull-origin.ts';
import { askToKeep, storageRoom, type StorageRoom } from '../../platform/web/storage-room.ts';
import { type InstallState, installState } from '../../platform/install/stored-model.ts';
import type { InstallProgress } from '../../platform/install/progress.ts';
import { type JournalContent, pullUnderWay } from '../../platform/pull/journal.ts';
import { namesRepository } from '../../platform/pull/repository.ts';
import type { ModelLibrary } from '../../ports.ts';
import { checkModel } from '../storage/check-model.ts';
import { failureOf, type PageFailure } from './failure.ts';
import { SAMPLE_MODEL, type Settings } from './settings.svelte.ts';

/** A model that something is stored of. */
export interface KeptModel {
  readonly id: string;
  readonly state: Exclude<InstallState, { at: 'absent' }>;
}

/** Where a model comes from. */
export type ModelOrigin =
  | { readonly from: 'address'; readonly address: string }
  | { readonly from: 'files'; readonly files: readonly GivenFile[] }
  /** A checkpoint, converted on the way. */
  | { readonly from: 'repository'; readonly source: string };

/** A checkpoint whose conversion was stopped. */
export interface StoppedPull extends JournalContent {
  readonly id: string;
}

/** What is being done; one thing at a time. */
export type ModelTask =
  | { readonly at: 'none' }
  | { readonly at: 'starting'; readonly from: string }
  | { readonly at: 'getting'; readonly from: string; readonly progress: InstallProgress }
  | { readonly at: 'checking'; readonly id: string; readonly progress: InstallProgress | undefined }
  | { readonly at: 'failed'; readonly from: string; readonly failure: PageFailure };

/** A model that somebody offers beside the page (models/models.json on the same site). */
export interface ModelOffer {
  readonly name: string;
  readonly address: string;
  readonly bytes: number;
}

export class Models {
  kept = $state.raw<readonly KeptModel[]>([]);
  stopped = $state.raw<readonly StoppedPull[]>([]);
  sample = $state.raw<Manifest | undefined>();
  offers = $state.raw<readonly ModelOffer[]>([]);
  /** The host has a list of models, be it an empty one. */
  hostOffers = false;
  task = $state.raw<ModelTask>({ at: 'none' });
  /** Undefined where the browser does not say. */
  room = $state.raw<StorageRoom | undefined>();
  failure = $state.raw<PageFailure | undefined>();
  /** What other tabs are fetching. */
  elsewhere = $state.raw<ReadonlyMap<string, InstallProgress>>(new Map());
  readonly #library: ModelLibrary;
  readonly #settings: Settings;
  /** Address of the folder that holds the sample model and whatever else is offered. */
  readonly #folder: string;
  readonly #startConverter: () => Worker;
  #abort: AbortController | undefined;
  readonly #watched = new Map<string, () => void>();

  constructor(library: ModelLibrary, settings: Settings, folder: string, startConverter: () => Worker) {
    this.#startConverter = startConverter;
    this.#library = library;
    this.#settings = settings;
    this.#folder = folder;
  }

  /** The sample model's address, with a slash at its end. */
  get sampleAddress(): string {
    return `${this.#folder}sample/`;
  }

  /** The model that reads: the chosen one where it is whole, else the sample. */
  get current(): { readonly id: string; readonly manifest: Manifest | undefined } {
    const kept = this.kept.find(({ id, state }) => id === this.#settings.model && state.at === 'whole');
    return kept === undefined
      ? { id: SAMPLE_MODEL, manifest: this.sample }
      : { id: kept.id, manifest: kept.state.manifest };
  }

  /** Looks at what is stored and offered. Never fails: `failure` says what is wrong with storage. */
  async load(): Promise<void> {
    await Promise.all([this.refresh(), this.#loadSample(), this.#loadOffers()]);
  }

  async refresh(): Promise<void> {
    try {
      const kept: KeptModel[] = [];
      const stopped: StoppedPull[] = [];
      for (const { id } of await this.#library.list()) {
        const state = await installState(this.#library.store(id));
        if (state.at !== 'absent') kept.push({ id, state });
        const pull = state.at === 'absent' ? await pullUnderWay(this.#library.store(id)) : undefined;
        if (pull !== undefined) stopped.push({ ...pull, id });
        this.#watch(id, state.at === 'unfinished' || pull !== undefined);
      }
      this.kept = kept;
      this.stopped = stopped;
      this.failure = undefined;
    } catch (error) {
      this.failure = failureOf(error);
    }
    this.room = await storageRoom();
  }

  /** Fetches a model, or goes on doing so, and reads with it from then on. */
  async get(origin: ModelOrigin): Promise<void> {
    if (this.#abort !== undefined) return;
    const from = nameOf(origin);
    await this.#do(from, async (signal) => {
      this.task = { at: 'starting', from };
      void askToKeep();
      const onProgress = (progress: InstallProgress): void => {
        const isFirst = this.task.at === 'starting';
        this.task = { at: 'getting', from, progress };
        if (isFirst) void this.refresh();
      };
      const { id } = await this.#fetch(origin, { signal, onProgress });
      this.choose(id);
    });
  }

  async #fetch(origin: ModelOrigin, how: Fetching): Promise<{ readonly id: string }> {
    if (origin.from === 'repository') return this.#pull({ from: 'repository', source: origin.source }, how);
    if (origin.from === 'files') {
      return holdsCheckpoint(origin.files)
        ? this.#pull(origin, how)
        : importModel(origin.files, this.#library, how);
    }
    const { address } = origin;
    if (namesRepository(address)) return this.#pull({ from: 'repository', source: address }, how);
    try {
      return await downloadModel(address, this.#library, how);
    } catch (error) {
      // No converted model there; perhaps a checkpoint.
      if (!isAsrError(error) || error.code !== 'model-not-found') throw error;
      return this.#pull({ from: 'repository', source: address }, how);
    }
  }

  async #pull(origin: PullOrigin, how: Fetching): Promise<{ readonly id: string }> {
    const profile = await bestProfile();
    return pullInWorker(this.#startConverter(), { origin, profile }, how);
  }

  /** Stops what is being done; what came is kept. */
  pause(): void {
    this.#abort?.abort();
  }

  /** Reads everything of a stored model again and compares it with its hashes. */
  async check({ id, state: { manifest } }: KeptModel): Promise<void> {
    await this.#do(id, async (signal) => {
      this.task = { at: 'checking', id, progress: undefined };
      const onProgress = (progress: InstallProgress): void => {
        this.task = { at: 'checking', id, progress };
      };
      await checkModel(manifest, this.#library.store(id), { signal, onProgress });
    });
  }

  /** Deletes a model and frees its room. The sample reads then, if it was in use. */
  async remove(id: string): Promise<void> {
    if (this.#settings.model === id) this.choose(SAMPLE_MODEL);
    try {
      await this.#library.delete(id);
    } catch (error) {
      this.task = { at: 'failed', from: id, failure: failureOf(error) };
    }
    await this.refresh();
  }

  choose(id: string): void {
    this.#settings.model = id;
    this.#settings.save();
  }

  dismissFailure(): void {
    if (this.task.at === 'failed') this.task = { at: 'none' };
  }

  async #do(from: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#abort !== undefined) return;
    const abort = (this.#abort = new AbortController());
    try {
      await work(abort.signal);
      this.task = { at: 'none' };
    } catch (error) {
      const paused = abort.signal.aborted || isAbort(error);
      this.task = paused ? { at: 'none' } : { at: 'failed', from, failure: failureOf(error) };
    } finally {
      this.#abort = undefined;
      await this.refresh();
    }
  }

  #watch(id: string, unfinished: boolean): void {
    const stop = this.#watched.get(id);
    if (unfinished && stop === undefined) {
      const follow = (progress: InstallProgress): void => {
        this.elsewhere = new Map(this.elsewhere).set(id, progress);
        if (progress.doneBytes === progress.totalBytes) void this.refresh();
      };
      this.#watched.set(id, watchInstall(id, follow));
    } else if (!unfinished && stop !== undefined) {
      stop();
      this.#watched.delete(id);
      this.elsewhere = new Map([...this.elsewhere].filter(([other]) => other !== id));
    }
  }

  async #loadSample(): Promise<void> {
    this.sample = await readJson(`${this.sampleAddress}manifest.json`, parseManifest);
  }

  async #loadOffers(): Promise<void> {
    const base = this.#folder;
    const offers = await readJson(`${base}models.json`, (json) => parseOffers(json, base));
    this.hostOffers = offers !== undefined;
    this.offers = offers ?? [];
  }
}

/** undefined where there is no such file, or another one in its place. */
async function readJson<T>(url: string, parse: (json: unknown) => T): Promise<T | undefined> {
  try {
    const response = await fetch(url);
    return response.ok ? parse(await response.json()) : undefined;
  } catch {
    // Offline, or a host that answers every address with a page: nothing is offered here.
    return undefined;
  }
}

function parseOffers(json: unknown, base: string): ModelOffer[] {
  if (!Array.isArray(json)) return [];
  return (json as Partial<ModelOffer>[]).flatMap(({ name, address, bytes }) =>
    typeof name === 'string' && typeof address === 'string' && typeof bytes === 'number'
      ? [{ name, address: new URL(address, base).href, bytes }]
      : [],
  );
}

interface Fetching {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: InstallProgress) => void;
}

function nameOf(origin: ModelOrigin): string {
  if (origin.from === 'address') return origin.address;
  return origin.from === 'repository' ? origin.source : (origin.files[0]?.path.split('/')[0] ?? '');
}

/** Blocks for graphics cards, whole integers for WASM: the other way round each is many times slower. */
async function bestProfile(): Promise<'q8q4' | 'int8'> {
  const [best] = await candidatePaths('auto').catch(() => []); // a driver that throws is none
  return best?.startsWith('webgpu') ? 'q8q4' : 'int8';
}
