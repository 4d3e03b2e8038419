// One file from a source into a store: goes on where it stopped, checks every piece, keeps what is right.

import { AsrError } from '../../errors.ts';
import type { FileEntry } from '../../model/manifest.ts';
import type { ShardStore } from '../../ports.ts';
import { PieceCheck } from './piece-check.ts';
import type { ProgressMeter } from './progress.ts';
import type { Sha256 } from './sha256.ts';
import type { ModelSource } from './source.ts';

export interface FileFilling {
  readonly store: ShardStore;
  readonly source: ModelSource;
  readonly sha256: Sha256;
  /** So much is gathered before it is stored: what a crash loses at most. */
  readonly partBytes: number;
  readonly meter: ProgressMeter;
  readonly signal: AbortSignal;
}

/**
 * Makes a file of the store whole and right, fetching what is missing.
 *
 * Fails with `weights-corrupt` when the source keeps giving wrong bytes, and as source and store fail.
 * What was right until then is kept.
 */
export async function fillFile(entry: FileEntry, filling: FileFilling): Promise<void> {
  const { store, source, meter } = filling;
  if (entry.bytes === 0) return store.write(entry.path, new Uint8Array(0));
  let wrongAtByte = -1;
  for (let tries = source.triesPerFile; tries > 0; tries--) {
    const check = await checkStored(entry, filling);
    if (check.done || (await pour(entry, check, filling))) return store.finish(entry.path);
    meter.stand(entry.path, check.atByte, 'retrying');
    // Tries count per place: a long file may well be hit more than once.
    if (check.atByte > wrongAtByte) tries = source.triesPerFile;
    wrongAtByte = check.atByte;
  }
  const wrong = `${entry.path} from ${source.name} does not match its SHA-256`;
  throw new AsrError('weights-corrupt', wrong);
}

/** Reads a whole file again and takes off what is wrong; it then counts as unfinished. */
export async function isStillRight(entry: FileEntry, filling: FileFilling): Promise<boolean> {
  const check = await checkStored(entry, filling);
  return check.done;
}

/**
 * Reads what the store has of a file and takes off what is wrong: everything from the first wrong piece on.
 * The check that comes back is done, or stands where fetching has to go on; the file then is unfinished.
 * Storage is not trusted: a machine that lost power may have kept a file's length and not its content.
 */
async function checkStored(
  entry: FileEntry,
  { store, sha256, meter, signal }: FileFilling,
): Promise<PieceCheck> {
  const check = new PieceCheck(entry, sha256);
  for await (const bytes of store.stream(entry.path)) {
    signal.throwIfAborted();
    if (!feed(check, bytes)) break;
  }
  if (!check.done) await store.truncate(entry.path, check.atByte);
  meter.stand(entry.path, check.atByte, 'checking');
  return check;
}

/** False when a piece was wrong or the file is too long. */
function feed(check: PieceCheck, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length;) {
    if (check.done) return false;
    const run = bytes.subarray(at, at + check.roomBytes);
    if (!check.take(run)) return false;
    at += run.length;
  }
  return true;
}

/** Fetches the rest. False when a piece was wrong; the store then ends where it begins. */
async function pour(entry: FileEntry, check: PieceCheck, filling: FileFilling): Promise<boolean> {
  const { source, store, meter, signal } = filling;
  const part = new Part(entry.path, check.atByte, filling);
  const trouble = (): void => meter.trouble(entry.path);
  try {
    for await (const bytes of source.read(entry, check.atByte, signal, trouble)) {
      for (let at = 0; at < bytes.length;) {
        const run = bytes.subarray(at, at + Math.min(check.roomBytes, part.roomBytes));
        if (!check.take(run)) {
          await part.flush();
          await store.truncate(entry.path, check.atByte);
          return false;
        }
        await part.add(run);
        at += run.length;
      }
      meter.stand(entry.path, check.atByte, 'fetching');
    }
  } catch (error) {
    // What came is worth keeping; where even that fails, the first failure says more.
    await part.flush().catch(() => undefined);
    throw error;
  }
  await part.flush();
  return check.done;
}

/** Gathers small reads into one record. */
class Part {
  readonly #path: string;
  readonly #store: ShardStore;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #startByte: number;
  #length = 0;

  constructor(path: string, startByte: number, { store, partBytes }: FileFilling) {
    this.#path = path;
    this.#startByte = startByte;
    this.#store = store;
    this.#buffer = new Uint8Array(partBytes);
  }

  get roomBytes(): number {
    return this.#buffer.length - this.#length;
  }

  /** Stores when full. */
  async add(bytes: Uint8Array): Promise<void> {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    if (this.roomBytes === 0) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#length === 0) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    await this.#store.append(this.#path, this.#startByte, bytes);
    this.#startByte += this.#length;
    this.#length = 0;
  }
}
