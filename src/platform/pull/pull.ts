// A checkpoint, wherever it lies, becomes a model in a library without ever lying here as a whole. START HERE.
//
//   source ─► blocks ─► convert ─► shards in the store ─► manifest
//
// Whatever happens on the way, what is good is kept, and calling again goes on from there. What turns out to be
// wrong is taken away. Knows nothing of browsers, disks or networks.

import type { ByteSource, CheckpointFiles } from '../../convert/byte-source.ts';
import { convert } from '../../convert/convert.ts';
import type { HashBytes } from '../../convert/hash.ts';
import { AsrError, isAsrError } from '../../errors.ts';
import type { Manifest, Profile } from '../../model/manifest.ts';
import type { ModelLibrary, ShardStore } from '../../ports.ts';
import { follower } from '../install/waiting.ts';
import { Journal } from './journal.ts';
import { PullMeter, type PullProgress } from './progress.ts';
import { discardUnfinished, StoreSink } from './store-sink.ts';

/** A checkpoint that can be pulled. */
export interface PullSource {
  /** For people, and to find it again. */
  readonly name: string;
  readonly title: string;
  readonly about: Manifest['source'];
  /**
   * Opens its files for one attempt. The files are told where blocks may be kept (`store`), what is known from
   * an earlier attempt (`journal`), and how to say what comes (`meter`).
   */
  open(attempt: PullAttempt): PullFiles;
}

export interface PullAttempt {
  readonly store: ShardStore;
  readonly journal: Journal;
  readonly meter: PullMeter;
  readonly signal: AbortSignal;
}

export interface PullFiles extends CheckpointFiles {
  /** Shards stand that are made of everything read so far. */
  settle(): Promise<void>;
  /** The journal knows of them. */
  drop(): Promise<void>;
  /** Whether everything that came matches its published hash; undefined where none is published. Fails with `weights-corrupt`. */
  verify(): Promise<true | undefined>;
  close(): Promise<void>;
}

export interface PullOptions {
  readonly profile: Profile;
  /** What to call the model; default: the source's title. */
  readonly name?: string;
  readonly searchScales?: boolean;
  /** In place of WebCrypto, for shards. */
  readonly hashBytes?: HashBytes;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
  /** Called when another tab or program pulls the same model and has to finish or stop first. */
  readonly onWait?: () => void;
  /** For tests with small models. */
  readonly maxShardBytes?: number;
  readonly maxWeightBytes?: number;
}

export interface Pulled {
  readonly id: string;
  readonly manifest: Manifest;
  /** Whether the source matched its published hash; false where none is published. */
  readonly verified: boolean;
  /** What came over the network, this time. */
  readonly receivedBytes: number;
}

/** What lies in the store beside the shards while they are made: blocks that wait for their turn. */
const SPOOL_BYTES = 600_000_000;

/** Damage on the way is found when the whole file has come; then everything is fetched once more. */
const ATTEMPTS = 2;

/**
 * Pulls a checkpoint into the library, or goes on doing so. Stopping is aborting the signal.
 *
 * Fails as `convert`, the source and the store do, with `storage-full` before anything is fetched if that can
 * be known, and with `weights-corrupt` when what came does not match the published hash, twice.
 */
export async function pullModel(
  source: PullSource,
  library: ModelLibrary,
  options: PullOptions,
): Promise<Pulled> {
  const title = options.name ?? source.title;
  const id = modelIdOf(title, options.profile);
  const { signal, onWait } = options;
  let pulled: Pulled | undefined;
  const work = async (): Promise<void> => {
    pulled = await pullIntoStore(source, library, id, title, options);
  };
  await library.exclusively(id, work, onWait === undefined ? { signal } : { signal, onWait });
  if (pulled === undefined) throw new Error('Bug: the library did not let anybody in');
  return pulled;
}

/** As `modelId` of the manifest that will stand. */
export function modelIdOf(title: string, profile: Profile): string {
  const plain = `${title}-${profile}`.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return plain.slice(0, 100);
}

async function pullIntoStore(
  source: PullSource,
  library: ModelLibrary,
  id: string,
  title: string,
  options: PullOptions,
): Promise<Pulled> {
  const store = library.store(id);
  const meter = new PullMeter(options.onProgress ?? (() => undefined));
  for (let attempt = 1; ; attempt++) {
    const started = { planned: false };
    try {
      const outcome = await attemptPull({ source, library, store, title, meter, options, started });
      return { id, ...outcome, receivedBytes: meter.receivedBytes };
    } catch (error) {
      if (!isWrong(error)) throw error;
      // Nothing that was made of it may be taken for a model, now or later. What an earlier attempt made of
      // another source is left alone.
      if (started.planned || !(await Journal.existsIn(store))) await discardUnfinished(store);
      if (error.code !== 'weights-corrupt' || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** Whether a failure says that what came is wrong, and not that it could not come. */
function isWrong(error: unknown): error is AsrError {
  return (
    isAsrError(error) && (/^(checkpoint|tokenizer)-/.test(error.code) || error.code === 'weights-corrupt')
  );
}

interface Attempt {
  readonly source: PullSource;
  readonly library: ModelLibrary;
  readonly store: ShardStore;
  readonly title: string;
  readonly meter: PullMeter;
  readonly options: PullOptions;
  /** Whether it came so far that something of it is stored. */
  readonly started: { planned: boolean };
}

async function attemptPull(attempt: Attempt): Promise<{ manifest: Manifest; verified: boolean }> {
  const { source, library, store, title, meter, options, started } = attempt;
  const { profile, searchScales, hashBytes, maxShardBytes, maxWeightBytes } = options;
  const { controller, release } = follower(options.signal);
  const journal = await Journal.open(store, { source: source.name, title, profile });
  const files = source.open({ store, journal, meter, signal: controller.signal });
  let verified = false;
  const sink = new StoreSink(store, journal, {
    onShard: () => files.settle(),
    onSaved: () => files.drop(),
    beforeManifest: async () => {
      verified = (await files.verify()) ?? false;
      await files.settle();
    },
  });
  try {
    const manifest = await convert(files, sink, {
      profile,
      name: title,
      source: source.about,
      signal: controller.signal,
      onProgress: ({ doneBytes, totalBytes }) => meter.converted(doneBytes, totalBytes),
      onPlan: async (shardBytes) => {
        journal.plannedBytes = shardBytes;
        await ensureRoom(library, shardBytes - journal.storedBytes);
        started.planned = true;
        await journal.save();
      },
      ...(searchScales && { searchScales }),
      ...(hashBytes !== undefined && { hashBytes }),
      ...(maxShardBytes !== undefined && { maxShardBytes }),
      ...(maxWeightBytes !== undefined && { maxWeightBytes }),
    });
    return { manifest, verified };
  } finally {
    controller.abort();
    release();
    await files.close();
  }
}

async function ensureRoom(library: ModelLibrary, missingBytes: number): Promise<void> {
  const freeBytes = await library.freeBytes();
  // Of a small model not even that much waits.
  const neededBytes = missingBytes + Math.min(SPOOL_BYTES, Math.ceil(missingBytes / 2));
  if (freeBytes === undefined || missingBytes <= 0 || neededBytes <= freeBytes) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
  const found = `converting needs ${gigabytes(neededBytes)}, there is room for ${gigabytes(freeBytes)}`;
  throw new AsrError('storage-full', found);
}

/** Files that lie on this machine already, as a pull wants them: nothing is spooled, nothing hashed. */
export function localFiles(files: CheckpointFiles, meter: PullMeter, close: () => Promise<void>): PullFiles {
  return {
    open: async (path, signal) => {
      const source = await files.open(path, signal);
      return source && counted(source, meter);
    },
    settle: async () => undefined,
    drop: async () => undefined,
    verify: async () => undefined,
    close,
  };
}

function counted(source: ByteSource, meter: PullMeter): ByteSource {
  return {
    name: source.name,
    bytes: source.bytes,
    ...(source.version !== undefined && { version: source.version }),
    read: async (offset, length, signal) => {
      const bytes = await source.read(offset, length, signal);
      meter.received(source.name, bytes.length);
      return bytes;
    },
  };
}
