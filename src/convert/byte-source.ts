// What the converter asks of the outside: bytes by range on one side, whole files on the other.
// A disk, a File that was dropped on the page and an HTTP server that answers ranges all serve.

import type { FileEntry } from '../model/manifest.ts';

/** Random access to the bytes of one file, wherever it lies. */
export interface ByteSource {
  /** For people: a path, a URL, a file name. */
  readonly name: string;
  readonly bytes: number;
  /** Changes whenever the content does: a revision, an ETag, a hash. Unknown where it is undefined. */
  readonly version?: string;
  /**
   * Bytes [offset, offset + length): all of them, or an AsrError. The array is the caller's.
   * Reads come mostly in rising order and some are under way at once; each is at most a few MiB.
   */
  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>;
}

/** The files of a checkpoint, by name. */
export interface CheckpointFiles {
  /** undefined when there is no such file; other failures are AsrErrors. */
  open(path: string, signal: AbortSignal): Promise<ByteSource | undefined>;
}

/** Where a converted model goes. */
export interface ModelSink {
  /**
   * The file that an interrupted conversion wrote under this plan key, if it is still there whole.
   * Keys say everything that a shard's bytes depend on, so such a file need not be made again.
   */
  recall?(planKey: string): Promise<FileEntry | undefined>;
  /**
   * Stores one whole file (at most `MAX_SHARD_BYTES`, the manifest last). The bytes are the caller's
   * again when the promise settles. Fails with `output-unwritable`, `storage-full` or `storage-denied`.
   */
  write(file: FileEntry, content: Uint8Array<ArrayBuffer>, planKey?: string): Promise<void>;
}
