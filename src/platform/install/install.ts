// A model becomes whole in a store, from wherever it comes. START HERE.
//
//   source ─► bytes ─► checked piece by piece ─► parts in the store ─► whole files ─► manifest
//
// Whatever happens on the way, what was right is kept, and calling again goes on from there. Knows nothing of
// browsers, disks or networks: those come through ModelSource, ShardStore and Sha256.

import { AsrError, assert } from '../../errors.ts';
import { type FileEntry, type Manifest, MANIFEST_PATH } from '../../model/manifest.ts';
import type { ModelLibrary, ShardStore } from '../../ports.ts';
import { fillFile, isStillRight } from './fill-file.ts';
import { ProgressMeter, type InstallProgress } from './progress.ts';
import type { Sha256 } from './sha256.ts';
import { type ModelSource, modelId, namedFiles } from './source.ts';
import { INCOMING_PATH, incomingRecord } from './stored-model.ts';
import { inLanes } from './waiting.ts';

export interface InstallOptions {
  readonly createSha256: () => Promise<Sha256>;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: InstallProgress) => void;
  /** Called when another tab or program is at the same model and has to finish or stop first. */
  readonly onWait?: () => void;
  /** Files fetched at once. */
  readonly connections?: number;
  /** Also read and check the files that are whole already; damaged ones are mended. About as slow as reading them. */
  readonly recheck?: boolean;
}

export interface Installed {
  readonly id: string;
  readonly manifest: Manifest;
}

const CONNECTIONS = 3;

/**
 * Puts a model into the library, or goes on doing so, or mends it. Stopping is aborting the signal.
 *
 * An installed earlier version under the same id serves until the new manifest stands; its files then go.
 * Fails with `storage-full` (before fetching anything, if it can be known), `storage-denied`,
 * `output-unwritable`, `weights-corrupt` (the source keeps giving wrong bytes), `manifest-invalid`, and as
 * the source fails.
 */
export async function installModel(
  source: ModelSource,
  library: ModelLibrary,
  options: InstallOptions,
): Promise<Installed> {
  const { manifest } = source;
  const id = modelId(manifest);
  const files = namedFiles(manifest);
  const { signal, onWait } = options;
  const work = (): Promise<void> => installFiles(files, source, library, library.store(id), options);
  await library.exclusively(id, work, onWait === undefined ? { signal } : { signal, onWait });
  return { id, manifest };
}

async function installFiles(
  files: readonly FileEntry[],
  source: ModelSource,
  library: ModelLibrary,
  store: ShardStore,
  options: InstallOptions,
): Promise<void> {
  const { signal, connections = CONNECTIONS, createSha256, recheck = false } = options;
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const partBytes = partSize(totalBytes);
  const meter = new ProgressMeter(totalBytes, options.onProgress ?? (() => undefined));
  const whole = await takeStock(store, files, meter);
  await ensureRoom(library, totalBytes - meter.doneBytes);
  const unsure = recheck ? files : files.filter((file) => !whole.has(file.path));
  if (recheck) for (const file of files) meter.stand(file.path, 0, 'checking');
  if (unsure.length > 0) await store.write(INCOMING_PATH, incomingRecord(source));
  const hashes = await Promise.all(Array.from({ length: connections }, createSha256));
  await inLanes(connections, unsure, signal, async (entry, lane, laneSignal) => {
    const sha256 = hashes[lane];
    assert(sha256 !== undefined, 'every lane has a hash of its own');
    const filling = { store, source, sha256, partBytes, meter, signal: laneSignal };
    if (!whole.has(entry.path) || !(await isStillRight(entry, filling))) await fillFile(entry, filling);
  });
  await store.write(MANIFEST_PATH, source.manifestBytes);
  await sweep(store, files);
}

/** What is there already: tells the meter, and returns the names of whole files. */
async function takeStock(
  store: ShardStore,
  files: readonly FileEntry[],
  meter: ProgressMeter,
): Promise<ReadonlySet<string>> {
  const stored = new Map((await store.list()).map((file) => [file.path, file]));
  const whole = new Set<string>();
  for (const entry of files) {
    const found = stored.get(entry.path) ?? { bytes: 0, whole: false };
    const misfit = found.bytes > entry.bytes || (found.whole && found.bytes < entry.bytes);
    if (misfit) await store.truncate(entry.path, 0);
    else if (found.whole) whole.add(entry.path);
    meter.stand(entry.path, misfit ? 0 : found.bytes, 'checking');
  }
  return whole;
}

async function ensureRoom(library: ModelLibrary, missingBytes: number): Promise<void> {
  const freeBytes = await library.freeBytes();
  if (freeBytes === undefined || missingBytes <= freeBytes) return;
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
  const found = `the model needs ${megabytes(missingBytes)} more, there is room for ${megabytes(freeBytes)}`;
  throw new AsrError('storage-full', found);
}

/**
 * How much is gathered before it is stored. A crash loses one part per connection: with a thousandth of the
 * model each, twenty crashes and three connections cost 6 % at the very most, 3 % on average.
 *
 * Never below 64 KiB: browsers keep smaller values in the database's own log, where deleting frees nothing
 * until they tidy up (measured: 82 MB for 32 MB of 32 KiB records, long after they were deleted).
 */
function partSize(totalBytes: number): number {
  return Math.min(2 << 20, Math.max(96 << 10, Math.ceil(totalBytes / 1024)));
}

/** Deletes what the model does not need: files of an earlier version, notes made on the way. */
async function sweep(store: ShardStore, files: readonly FileEntry[]): Promise<void> {
  const kept = new Set([MANIFEST_PATH, ...files.map((file) => file.path)]);
  for (const { path } of await store.list()) if (!kept.has(path)) await store.delete(path);
}
